export { Moto, whyNoMoto } from './moto.js';
