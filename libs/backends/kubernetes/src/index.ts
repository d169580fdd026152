export { type KubernetesConfig, kubernetesDefinition } from './definition.js';
