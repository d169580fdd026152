import type * as Wire from '../wire/generated/api.js';

/** `name_or_id[:group_name_or_id]`; null for text that is not of that form. */
export function parseUnixUser(text: string): Wire.UnixUser | null {
  const parts = text.split(':');
  const [user, group] = parts;
  if (parts.length > 2 || !user || group === '') return null;
  const uid = numericId(user);
  const gid = group === undefined ? null : numericId(group);
  if (uid === 'invalid' || gid === 'invalid') return null;
  return {
    uid,
    gid,
    username: uid === null ? user : null,
    groupname: group !== undefined && gid === null ? group : null,
  };
}

function numericId(text: string): number | null | 'invalid' {
  if (/^\d+$/.test(text)) return Number(text);
  return text.startsWith('-') ? 'invalid' : null;
}
