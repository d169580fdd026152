/** The one field of the upload routes: a file named by its SHA-256. */
export function uploadForm(hash: string, content: Uint8Array): FormData {
  const form = new FormData();
  // A copy on an own ArrayBuffer: Blob does not take shared memory.
  form.append('file', new Blob([new Uint8Array(content)]), hash);
  return form;
}
