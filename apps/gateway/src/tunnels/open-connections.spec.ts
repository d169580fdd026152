import { countConnections } from './open-connections.js';

it('counts what was taken at a path, and neither who listens there nor what has no path', () => {
  const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 25157 /d/t/a.n
0000000000000000: 00000003 00000000 00000000 0001 03 25159 /d/t/a.n
0000000000000000: 00000003 00000000 00000000 0001 03 25160
0000000000000000: 00000003 00000000 00000000 0001 03  1234 /d/t/a.n
0000000000000000: 00000003 00000000 00000000 0001 03 25163 /d/with a space
0000000000000000: 00000003 00000000 00000000 0002 03 25164 /d/datagrams
`;
  expect(Object.fromEntries(countConnections(table))).toEqual({ '/d/t/a.n': 2, '/d/with a space': 1 });
});
