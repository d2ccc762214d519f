import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { convertTemplate, templateSchemas } from '@tinkerbell/template';
import { checked } from '../http/checked.dto';
import { devicesOf } from '../workflow/workflow.dto';
import { TemplateReplay } from './template-replay';
import { TemplateTrial } from './template-trial';
import { ReplayTemplateDto, TemplateTextDto, TryTemplateDto } from './template.dto';

/** Questions about templates. Nothing here makes or changes anything. */
@Controller()
export class TemplateTrialApiController {
  constructor(
    private readonly trial: TemplateTrial,
    private readonly replay: TemplateReplay,
  ) {}

  @Post('api/templates/lint')
  @HttpCode(200)
  lint(@Body() body: unknown): unknown {
    return this.trial.lint(checked(TemplateTextDto, body, 'request').data);
  }

  @Post('api/templates/convert')
  @HttpCode(200)
  convert(@Body() body: unknown): unknown {
    return { data: convertTemplate(checked(TemplateTextDto, body, 'request').data) };
  }

  @Post('api/templates/render')
  @HttpCode(200)
  render(@Body() body: unknown): unknown {
    const { hardware, ...tried } = checked(TryTemplateDto, body, 'request');
    return this.trial.render(tried, devicesOf(hardware));
  }

  @Post('api/templates/plan')
  @HttpCode(200)
  plan(@Body() body: unknown): unknown {
    const { hardware, ...tried } = checked(TryTemplateDto, body, 'request');
    return this.trial.plan(tried, devicesOf(hardware));
  }

  @Post('api/templates/replay')
  @HttpCode(200)
  replayed(@Body() body: unknown): unknown {
    const { template, data, limit = 100 } = checked(ReplayTemplateDto, body, 'request');
    return this.replay.run(template, data, limit);
  }

  @Get('schemas/template-0.1.json')
  schema01(): unknown {
    return templateSchemas['0.1'];
  }

  @Get('schemas/template-1.0.json')
  schema10(): unknown {
    return templateSchemas['1.0'];
  }
}
