import { refusalOf } from './refusal.js';

it.each([
  ['channel 2: open failed: connect failed: Connection refused\r\n', 'connect failed: Connection refused'],
  [
    'x\nchannel 13: open failed: administratively prohibited: open failed\n',
    'administratively prohibited: open failed',
  ],
  ['Connection to 10.0.0.7 closed by remote host.\n', null],
  ['', null],
])('%j', (said, why) => expect(refusalOf(said)).toBe(why));
