import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ForbiddenError } from '@tinkerbell/domain';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import { isEncrypted, peerAddress, type HttpRequest } from '../http/http-message';
import { Enrolment } from './enrolment';
import { EnrolRequestDto } from './enrolment.dto';

@Controller()
export class EnrolmentController {
  constructor(private readonly enrolment: Enrolment) {}

  /** Over TLS only: the token and the registry's password are secrets. */
  @Post('v1/enrol')
  @HttpCode(200)
  enrol(@Body() body: unknown, @Req() request: HttpRequest): unknown {
    if (!isEncrypted(request)) throw new ForbiddenError('enrolment is served over HTTPS only');
    return this.enrolment.enrol(checked(EnrolRequestDto, body, 'request'), peerAddress(request));
  }

  @Post('api/workers/:hardwareId/token')
  token(@Param('hardwareId') hardwareId: string, @Req() request: HttpRequest): unknown {
    return this.enrolment.issueToken(hardwareId.toLowerCase(), callerOf(request));
  }
}
