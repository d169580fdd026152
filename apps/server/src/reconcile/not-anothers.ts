/** Of a row whose connection one server at a time holds, as SQL: no other one does. Its parameters: this server, and the time. */
export const NOT_ANOTHERS =
  '(connection_holder IS NULL OR connection_holder = ? OR connection_expires_at IS NULL OR connection_expires_at <= ?)';
