import { isDeepStrictEqual } from 'node:util';
import type { AidboxClient } from '../aidbox/aidbox-client.ts';
import { checkView, findView } from '../destinations/lookups.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { omit, type Json } from '../lib/json.ts';
import type { Logger } from '../log.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import type { FhirRelease } from '../view/fhir-model.ts';
import { nameFhirVersion } from '../view/view-definition.ts';

export interface ViewInUse {
  readonly definition: Json;
  readonly view: CompiledView;
}

export interface ViewWatchOptions {
  readonly client: AidboxClient;
  readonly destinationId: string;
  readonly viewName: string;
  /** Release of FHIR for a view that names none. */
  readonly fhirVersion: FhirRelease;
  readonly compile: (definition: unknown) => CompiledView;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Follows a ViewDefinition in Aidbox, for destinations whose table follows their view (S0.96). The view at hand stays in use while Aidbox does
 * not answer, and when the new one cannot be used.
 */
export class ViewWatch {
  private readonly options: ViewWatchOptions;
  private inUse: ViewInUse;
  /** The definition that was found unfit last, which is said once. */
  private unfit: Json | undefined;
  private isTold = false;

  /** @param inUse the view as it was at create */
  constructor(options: ViewWatchOptions, inUse: ViewInUse) {
    this.options = options;
    this.inUse = inUse;
  }

  /** The view as Aidbox has it now. @throws AppError AIDBOX_… while Aidbox has not told it once in this process: columns that it gained would be missing */
  async read(): Promise<ViewInUse> {
    const { client, viewName, fhirVersion, compile } = this.options;
    let definition: Json | undefined;
    try {
      definition = nameFhirVersion(await findView(client, viewName), fhirVersion);
      if (!isSameView(definition, this.inUse.definition) && !isSameView(definition, this.unfit)) {
        const view = compile(definition);
        checkView(view);
        const { resourceType } = this.inUse.view;
        if (view.resourceType !== resourceType)
          throw new AppError(
            'VIEW_UNSUITABLE',
            `the view is for ${view.resourceType} now; the destination is for ${resourceType}`,
          );
        this.inUse = { definition, view };
      }
      this.isTold = true;
    } catch (error) {
      const fault = isAppError(error) ? error : new AppError('INTERNAL', `the view cannot be read (${describeCause(error)})`);
      const isPassing = fault.retry === 'later' && definition === undefined;
      if (isPassing && !this.isTold) throw fault;
      this.unfit = definition ?? this.unfit;
      if (!isPassing) this.warn(fault.code, fault.message, fault.action);
      this.isTold = true;
    }
    return this.inUse;
  }

  /** Looks every `everyMs`; resolves when the view changed or `stop` aborts. */
  async changed(everyMs: number, stop: AbortSignal): Promise<void> {
    const before = this.inUse;
    while (!stop.aborted && this.inUse === before) {
      await this.options.clock.sleep(everyMs, stop);
      if (!stop.aborted) await this.read();
    }
  }

  private warn(code: Parameters<Logger['warn']>[0]['code'], message: string, action: string): void {
    const { log, destinationId: destination, viewName: view } = this.options;
    log.warn({ event: 'view.change-not-usable', destination, view, ...(code === undefined ? {} : { code }), message, action });
  }
}

function isSameView(left: Json, right: Json | undefined): boolean {
  return right !== undefined && isDeepStrictEqual(omit(left, 'meta'), omit(right, 'meta'));
}
