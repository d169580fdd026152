import { Body, Controller, Inject, Req } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller } from '../http/request-context.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { FileArchivesService } from './file-archives.service.js';
import { readUpload } from './upload.js';

@Controller()
export class FilesController {
  constructor(
    private readonly archives: FileArchivesService,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'codeUploadLimitBytes'>,
  ) {}

  @Operation('files_get_archive_by_hash')
  getByHash(
    @CurrentCaller() caller: Caller,
    @Body() request: Wire.GetFileArchiveByHashRequest,
  ): Promise<Wire.FileArchive> {
    return this.archives.findByHash(caller, request.hash);
  }

  @Operation('files_upload_archive')
  async upload(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest): Promise<Wire.FileArchive> {
    return this.archives.upload(caller, await readUpload(request, this.settings.codeUploadLimitBytes));
  }
}
