import { explainKubernetes } from './errors.js';

const status = (code: number, reason: string, message: string) => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
});

// Messages of kube-apiserver 1.36.
it.each([
  [401, 'Unauthorized', 'Unauthorized', 'credentials', 'region'],
  [403, 'Forbidden', 'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "dstack"', 'credentials', 'region'],
  [403, 'Forbidden', 'pods "p" is forbidden: exceeded quota: compute, requested: requests.cpu=2, used: requests.cpu=8, limited: requests.cpu=8', 'quota', 'offer'],
  [404, 'NotFound', 'namespaces "dstack" not found', 'not-found', 'offer'],
  [409, 'AlreadyExists', 'pods "p" already exists', 'rejected', 'offer'],
  [409, 'Conflict', 'the object has been modified', 'rejected', 'offer'],
  [422, 'Invalid', 'Service "s" is invalid: spec.ports[0].nodePort: Invalid value: 80: The range of valid ports is 30000-32767', 'rejected', 'offer'],
])('%d %s: %s', (code, reason, message, kind, blocks) => {
  expect(explainKubernetes(status(code, reason, message))).toEqual({ failure: { kind, blocks }, message });
}); // prettier-ignore

it('says the status where the answer is of somebody else', () => {
  expect(explainKubernetes({ status: 403, body: '<html>' })).toEqual({
    failure: { kind: 'credentials', blocks: 'region' },
    message: 'the answer has status 403',
  });
});
