import { chatAnswer } from './chat-answer.js';
import { ChatChunks } from './chat-chunks.js';
import { commentEvent, eventData } from './event-stream.js';
import { finishReason } from './finish-reason.js';
import { StopHold, trimStop } from './stop-text.js';
import { type StreamEvent, streamEvent } from './stream-event.js';
import { TgiAnswerError } from './tgi-answer-error.js';

const NAME = { id: 'chatcmpl-1', created: 12, model: 'm' };

it.each([
  ['stop_sequence', 'stop'],
  ['eos_token', 'stop'],
  ['length', 'length'],
])('%s is %s', (tgi, openai) => {
  expect(finishReason(tgi)).toBe(openai);
});
it('another reason is none', () => {
  expect(() => finishReason('abandoned')).toThrow(TgiAnswerError);
});

it.each([
  ['hello</s>', ['</s>'], 'hello'],
  ['hello', ['</s>'], 'hello'],
  ['</s>hello', ['</s>'], '</s>hello'],
  ['hello</s></s>', ['</s>'], 'hello</s>'],
  ['a<END>', ['D>', '<END>'], 'a'],
  ['hello', [''], 'hello'],
])('%j ends before %j: %j', (text, stops, trimmed) => {
  expect(trimStop(text, stops)).toBe(trimmed);
});

it.each<[string, readonly string[], readonly string[], readonly string[]]>([
  ['no stop', ['a', 'b'], ['</s>'], ['a', 'b', '']],
  ['a stop in one piece', ['a', '</s>'], ['</s>'], ['a', '', '']],
  ['a stop in pieces', ['a<', '/s', '>'], ['</s>'], ['a', '', '', '']],
  ['what only looked like a stop', ['a<', '/b', '>'], ['</s>'], ['a', '</b', '>', '']],
  ['the begin of a stop at the end', ['a</'], ['</s>'], ['a', '</']],
  ['a stop that goes on', ['a</s>', 'b'], ['</s>'], ['a', '</s>b', '']],
  ['several stops', ['x', 'EN', 'D'], ['</s>', 'END', 'NO'], ['x', '', '', '']],
])('%s is sent in time', (_what, pieces, stops, sent) => {
  const hold = new StopHold(stops);
  expect([...pieces.map((piece) => hold.push(piece)), hold.end()]).toEqual(sent);
});

const sequence = (generated_text: string, finish_reason: string, generated_tokens: number) => ({
  generated_text,
  finish_reason,
  generated_tokens,
});

it('an answer is a completion: its stop trimmed, its tokens counted', () => {
  const body = {
    generated_text: 'hello</s>',
    details: {
      finish_reason: 'eos_token',
      generated_tokens: 2,
      prefill: [{ id: 1 }, { id: 2 }, { id: 3 }],
      tokens: [],
    },
  };
  expect(chatAnswer(body, { name: NAME, stops: ['</s>'], promptTokens: undefined })).toEqual({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 12,
    model: 'm',
    system_fingerprint: '',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
});

it('several sequences are several choices, and all their tokens count', () => {
  const body = {
    generated_text: 'one',
    details: {
      finish_reason: 'stop_sequence',
      generated_tokens: 2,
      prefill: [{ id: 1 }],
      best_of_sequences: [sequence('two</s>', 'length', 5)],
    },
  };
  const { choices, usage } = chatAnswer(body, { name: NAME, stops: ['</s>'], promptTokens: undefined });
  expect(choices.map(({ index, finish_reason, message }) => [index, finish_reason, message.content])).toEqual([
    [0, 'stop', 'one'],
    [1, 'length', 'two'],
  ]);
  expect(usage).toEqual({ prompt_tokens: 1, completion_tokens: 7, total_tokens: 8 });
});

it.each([
  ['7', 7],
  ['many', 0],
  [undefined, 0],
])('where the tokens of the prompt are not listed, their number %j is %i', (promptTokens, number) => {
  const body = { generated_text: 'x', details: { finish_reason: 'length', generated_tokens: 1, prefill: [] } };
  const { usage } = chatAnswer(body, { name: NAME, stops: [], promptTokens });
  expect(usage).toEqual({ prompt_tokens: number, completion_tokens: 1, total_tokens: number + 1 });
});

it.each([
  [null],
  [{ generated_text: 'x', details: null }],
  [[{ generated_text: 'x' }]],
  [{ generated_text: 'x', details: { finish_reason: 'abandoned', generated_tokens: 1, prefill: [] } }],
])('%j is no answer of TGI', (body) => {
  expect(() => chatAnswer(body, { name: NAME, stops: [], promptTokens: undefined })).toThrow(TgiAnswerError);
});

const TOKEN = { index: 1, token: { id: 5, text: ' hi', logprob: -1, special: false } };
const DETAILS = { finish_reason: 'length', generated_tokens: 4, seed: null };

it.each<[string, object, StreamEvent]>([
  ['a token', { ...TOKEN, generated_text: null, details: null }, { kind: 'token', text: ' hi', end: null }],
  [
    'a token that is no text',
    { index: 2, token: { id: 2, text: '</s>', logprob: 0, special: true } },
    { kind: 'token', text: '', end: null },
  ],
  [
    'the last token',
    { ...TOKEN, generated_text: 'oh hi', details: { ...DETAILS, input_length: 3 } },
    { kind: 'token', text: ' hi', end: { reason: 'length', generatedTokens: 4, promptTokens: 3 } },
  ],
  [
    'the last token of an older version',
    { ...TOKEN, details: DETAILS },
    { kind: 'token', text: ' hi', end: { reason: 'length', generatedTokens: 4, promptTokens: null } },
  ],
])('%s', (_what, data, event) => {
  expect(streamEvent(JSON.stringify(data))).toEqual(event);
});

it.each([
  ['validation', 422],
  ['generation', 424],
  ['overloaded', 429],
  ['incomplete_generation', 500],
  ['something new', 502],
])('an error of type %s has the status %i', (error_type, status) => {
  const body = JSON.stringify({ error: 'no', error_type });
  expect(streamEvent(body)).toEqual({ kind: 'error', status, body, message: 'no' });
});

it.each(['', '[DONE]', '{}', '{"token": {"text": 1}}'])('%j is no event of TGI', (data) => {
  expect(() => streamEvent(data)).toThrow(TgiAnswerError);
});

const token = (text: string, end: { reason: string; promptTokens: number | null } | null = null) => ({
  kind: 'token' as const,
  text,
  end: end === null ? null : { generatedTokens: 4, ...end },
});

it.each([
  ['who asked for it', true, 3, [[], { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }]],
  ['nobody who did not', false, 3, null],
  ['nobody where TGI does not tell', true, null, null],
])('tokens are chunks, and %s is told the usage', (_who, includeUsage, promptTokens, last) => {
  const chunks = new ChatChunks({ name: NAME, stops: ['</s>'], includeUsage });
  const sent = [token('Hel'), token('lo<'), token('/s'), token('>', { reason: 'eos_token', promptTokens })];
  const all = [chunks.first(), ...sent.flatMap((each) => chunks.next(each))];
  expect(all[0]).toMatchObject({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 12, model: 'm' });
  const choices = all.flatMap((each) => each.choices.map(({ delta, finish_reason }) => [delta, finish_reason]));
  expect(choices).toEqual([
    [{ role: 'assistant', content: '' }, null],
    [{ content: 'Hel' }, null],
    [{ content: 'lo' }, null],
    [{}, 'stop'],
  ]);
  expect(all.filter(({ usage }) => usage !== undefined).map((each) => [each.choices, each.usage])).toEqual(
    last === null ? [] : [last],
  );
});

it.each<[string, readonly string[], readonly string[]]>([
  ['events', ['data:{"a":1}\n\ndata: two\n\n'], ['{"a":1}', 'two']],
  ['events in pieces', ['da', 'ta: o', 'ne\n', '\nda'], ['one']],
  ['other ends of lines', ['data: one\r\n\r', '\ndata: two\r\n\r\n'], ['one', 'two']],
  ['comments and other fields', [': alive\n\nevent: error\nid: 1\ndata: x\n\n'], ['x']],
  ['several lines', ['data: a\ndata: b\n\n'], ['a\nb']],
])('%s are read', async (_what, pieces, data) => {
  expect(await read(pieces.map((piece) => Buffer.from(piece)))).toEqual(data);
});

it('a character may come in two pieces', async () => {
  const bytes = Buffer.from('data: é\n\n');
  expect(await read([bytes.subarray(0, 7), bytes.subarray(7)])).toEqual(['é']);
});

it.each([
  ['a line without end', 'x'.repeat(1024 * 1024 + 1)],
  ['an event without end', 'data: aaaaaaa\n'.repeat(100_000)],
])('%s is not read for ever', async (_what, text) => {
  await expect(read([Buffer.from(text)])).rejects.toThrow(TgiAnswerError);
});

it('a comment is one line', () => {
  expect(commentEvent('a\r\n\r\ndata: b')).toBe(': a data: b\n\n');
});

async function read(pieces: readonly Uint8Array[]): Promise<string[]> {
  const data: string[] = [];
  for await (const each of eventData(stream(pieces))) data.push(each);
  return data;
}

async function* stream(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}
