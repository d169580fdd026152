import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createRequire } from 'node:module';
import { DataSource } from 'typeorm';

/** What the frameworks alone take to start: a Nest application on Fastify with an open database, and nothing in it. The argument is its file. */
class EmptyModule {}
Module({})(EmptyModule);

const [, , database = ':memory:'] = process.argv;
const driver: unknown = createRequire(import.meta.url)('sqlite-native');
const dataSource = new DataSource({ type: 'better-sqlite3', database, driver, entities: [], enableWAL: true });
await dataSource.initialize();
const app = await NestFactory.create<NestFastifyApplication>(EmptyModule, new FastifyAdapter(), { logger: false });
await app.listen(0, '127.0.0.1');
process.send?.({ type: 'ready' });
