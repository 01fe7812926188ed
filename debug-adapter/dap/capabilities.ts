/** What the adapter tells the client that it can do. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { breakpointModes } from '../control/api';
import { filterDefinitions } from '../control/catch/filters';

export function capabilities(): DebugProtocol.Capabilities {
  return {
    supportsConfigurationDoneRequest: true,
    supportsFunctionBreakpoints: true,
    supportsConditionalBreakpoints: true,
    supportsHitConditionalBreakpoints: true,
    supportsLogPoints: true,
    supportsInstructionBreakpoints: true,
    supportsDataBreakpoints: true,
    supportsDataBreakpointBytes: true,
    supportsBreakpointLocationsRequest: true,
    supportsEvaluateForHovers: true,
    supportsSetVariable: true,
    supportsSetExpression: true,
    supportsCompletionsRequest: true,
    completionTriggerCharacters: ['$', '.', '>'],
    supportsSteppingGranularity: true,
    supportsStepBack: true,
    supportsReadMemoryRequest: true,
    supportsWriteMemoryRequest: true,
    supportsDisassembleRequest: true,
    supportsModulesRequest: true,
    additionalModuleColumns: [
      { attributeName: 'section', label: 'Section', type: 'string' },
      { attributeName: 'size', label: 'Size', format: 'number', type: 'number' },
    ],
    supportedChecksumAlgorithms: ['MD5'],
    supportsGotoTargetsRequest: true,
    supportsStepInTargetsRequest: true,
    supportsRestartFrame: true,
    supportsSingleThreadExecutionRequests: true,
    supportSuspendDebuggee: true,
    supportsANSIStyling: true,
    breakpointModes: [
      {
        mode: breakpointModes.once,
        label: 'Once',
        description: 'Goes away after it has stopped the guest.',
        appliesTo: ['source', 'instruction', 'data'],
      },
      {
        mode: breakpointModes.change,
        label: 'On change',
        description: 'Stops only where the bytes are other ones after the access.',
        appliesTo: ['data'],
      },
    ],
    supportsLoadedSourcesRequest: true,
    supportsRestartRequest: true,
    supportsTerminateRequest: true,
    supportTerminateDebuggee: true,
    supportsExceptionInfoRequest: true,
    supportsExceptionFilterOptions: true,
    supportsValueFormattingOptions: true,
    supportsClipboardContext: true,
    supportsDelayedStackTraceLoading: true,
    supportsCancelRequest: true,
    exceptionBreakpointFilters: filterDefinitions.map((each) => ({ ...each, supportsCondition: each.conditionDescription !== 'none' })),
  };
}
