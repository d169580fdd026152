import { chatPrompt, ChatTemplateError } from './chat-prompt.js';
import { ChatRequestError, parseChatRequest } from './chat-request.js';
import { generateRequest } from './generate-request.js';

const MESSAGES = [
  { role: 'system', content: 'Be short' },
  { role: 'user', content: ' hi ' },
];
const CHATML =
  "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + eos_token + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const STRICT =
  "{% for message in messages %}{% if message.role not in ['user', 'assistant'] %}{{ raise_exception('no system messages') }}{% endif %}{% endfor %}";

it('the prompt ends where the model goes on', () => {
  expect(chatPrompt(MESSAGES, { chatTemplate: CHATML, eosToken: '<|im_end|>' })).toBe(
    '<|im_start|>system\nBe short<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
  );
});

it.each([
  ['a template that refuses the conversation', STRICT, 'failed: no system messages'],
  ['a template with a mistake', '{% for message in %}', 'failed'],
  ['a template that would run for ever', endless(), 'takes longer than 250 ms'],
  [
    'a template that reaches for the process',
    "{{ messages.constructor.constructor('return process')().exit() }}",
    'failed',
  ],
])('%s is refused', (_what, chatTemplate, reason) => {
  const render = (): string => chatPrompt(MESSAGES, { chatTemplate, eosToken: '</s>' });
  expect(render).toThrow(ChatTemplateError);
  expect(render).toThrow(`The chat template of the model ${reason}`);
});

it('a prompt has an end, however fast its template makes it longer', () => {
  const doubled = '{% set ns.s = ns.s ~ ns.s %}';
  const chatTemplate = `{% set ns = namespace(s='12345678') %}{% for i in range(23) %}${doubled}{% endfor %}{{ ns.s }}`;
  const render = (): string => chatPrompt(MESSAGES, { chatTemplate, eosToken: '</s>' });
  expect(render).toThrow('makes more than 33554432 characters');
});

function endless(): string {
  const loops = ['a', 'b', 'c', 'd'];
  return loops.map((name) => `{% for ${name} in range(10000) %}`).join('') + loops.map(() => '{% endfor %}').join('');
}

const ASKED = { model: 'm', messages: MESSAGES };

it.each<[string, object, string, object]>([
  ['as it is', {}, '</s>', { details: true, do_sample: true, stop: ['</s>'], decoder_input_details: true }],
  ['streaming', { stream: true }, '</s>', { details: true, do_sample: true, stop: ['</s>'] }],
  [
    'with everything',
    {
      frequency_penalty: 0.5,
      max_tokens: 7,
      n: 2,
      seed: 3,
      stop: ['a', 'b'],
      stream: false,
      temperature: 0.2,
      top_p: 0.9,
      user: 'x',
    },
    '</s>',
    {
      best_of: 2,
      decoder_input_details: true,
      details: true,
      do_sample: true,
      frequency_penalty: 0.5,
      max_new_tokens: 7,
      seed: 3,
      stop: ['a', 'b', '</s>'],
      temperature: 0.2,
      top_p: 0.9,
    },
  ],
  [
    'with defaults spelled out',
    { frequency_penalty: 0, max_tokens: null, seed: null, stop: null, stream: true, temperature: null, top_p: 1 },
    '</s>',
    { details: true, do_sample: true, stop: ['</s>'] },
  ],
  [
    'for the likeliest answer',
    { stream: true, temperature: 0 },
    '</s>',
    { details: true, do_sample: false, stop: ['</s>'] },
  ],
  ['with one stop', { stream: true, stop: 'END' }, '</s>', { details: true, do_sample: true, stop: ['END', '</s>'] }],
  [
    'with the end token as stop',
    { stream: true, stop: '</s>' },
    '</s>',
    { details: true, do_sample: true, stop: ['</s>'] },
  ],
])('a chat %s is asked of TGI', (_how, more, eosToken, parameters) => {
  const request = parseChatRequest({ ...ASKED, ...more });
  expect(generateRequest(request, 'prompt', eosToken)).toEqual({ inputs: 'prompt', parameters });
});

it.each<[unknown, string]>([
  [{ model: 'm' }, 'messages: '],
  [{ ...ASKED, messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] }, 'messages.0.content: '],
  [{ ...ASKED, n: 0 }, 'n: '],
  [{ ...ASKED, stop: 'x'.repeat(1025) }, 'stop: '],
  [{ ...ASKED, stop: Array(17).fill('x') }, 'stop: '],
  [{ ...ASKED, n: 2, stream: true }, 'n: a stream has one answer only'],
  [{ ...ASKED, max_tokens: 'many' }, 'max_tokens: '],
  [{ ...ASKED, tools: [{ type: 'function' }] }, 'tools: models in the format of TGI are asked without tools'],
])('%j is refused, and the field is named', (body, message) => {
  expect(() => parseChatRequest(body)).toThrow(ChatRequestError);
  expect(() => parseChatRequest(body)).toThrow(message);
});

it('tools that are not to be used do no harm', () => {
  expect(parseChatRequest({ ...ASKED, tools: [{}], tool_choice: 'none' }).model).toBe('m');
});
