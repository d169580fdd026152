export { ElasticsearchFake, type IndexedRecord } from './elasticsearch-fake.js';
export { FluentFake } from './fluent-fake.js';
