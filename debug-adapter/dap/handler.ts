/** The shape of a request's handler: the protocol's own argument and body types by command. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type Adapter } from './adapter';
import { type CustomRequests, type HistoryRequests } from './custom';

/** Arguments and response body of each request that the adapter serves. */
export interface Requests extends CustomRequests, HistoryRequests {
  initialize: [DebugProtocol.InitializeRequestArguments, DebugProtocol.Capabilities];
  launch: [DebugProtocol.LaunchRequestArguments, void];
  configurationDone: [undefined, void];
  restart: [DebugProtocol.RestartArguments | undefined, void];
  disconnect: [DebugProtocol.DisconnectArguments | undefined, void];
  terminate: [DebugProtocol.TerminateArguments | undefined, void];
  cancel: [DebugProtocol.CancelArguments | undefined, void];
  setBreakpoints: [DebugProtocol.SetBreakpointsArguments, DebugProtocol.SetBreakpointsResponse['body']];
  attach: [DebugProtocol.AttachRequestArguments, void];
  goto: [DebugProtocol.GotoArguments, void];
  gotoTargets: [DebugProtocol.GotoTargetsArguments, DebugProtocol.GotoTargetsResponse['body']];
  stepInTargets: [DebugProtocol.StepInTargetsArguments, DebugProtocol.StepInTargetsResponse['body']];
  restartFrame: [DebugProtocol.RestartFrameArguments, void];
  terminateThreads: [DebugProtocol.TerminateThreadsArguments | undefined, void];
  source: [DebugProtocol.SourceArguments, DebugProtocol.SourceResponse['body']];
  locations: [DebugProtocol.LocationsArguments, DebugProtocol.LocationsResponse['body']];
  setFunctionBreakpoints: [DebugProtocol.SetFunctionBreakpointsArguments, DebugProtocol.SetFunctionBreakpointsResponse['body']];
  setInstructionBreakpoints: [DebugProtocol.SetInstructionBreakpointsArguments, DebugProtocol.SetInstructionBreakpointsResponse['body']];
  setExceptionBreakpoints: [DebugProtocol.SetExceptionBreakpointsArguments, DebugProtocol.SetExceptionBreakpointsResponse['body']];
  dataBreakpointInfo: [DebugProtocol.DataBreakpointInfoArguments, DebugProtocol.DataBreakpointInfoResponse['body']];
  setDataBreakpoints: [DebugProtocol.SetDataBreakpointsArguments, DebugProtocol.SetDataBreakpointsResponse['body']];
  breakpointLocations: [DebugProtocol.BreakpointLocationsArguments, DebugProtocol.BreakpointLocationsResponse['body']];
  continue: [DebugProtocol.ContinueArguments, DebugProtocol.ContinueResponse['body']];
  pause: [DebugProtocol.PauseArguments, void];
  next: [DebugProtocol.NextArguments, void];
  stepIn: [DebugProtocol.StepInArguments, void];
  stepOut: [DebugProtocol.StepOutArguments, void];
  stepBack: [DebugProtocol.StepBackArguments, void];
  reverseContinue: [DebugProtocol.ReverseContinueArguments, void];
  threads: [undefined, DebugProtocol.ThreadsResponse['body']];
  stackTrace: [DebugProtocol.StackTraceArguments, DebugProtocol.StackTraceResponse['body']];
  scopes: [DebugProtocol.ScopesArguments, DebugProtocol.ScopesResponse['body']];
  variables: [DebugProtocol.VariablesArguments, DebugProtocol.VariablesResponse['body']];
  setVariable: [DebugProtocol.SetVariableArguments, DebugProtocol.SetVariableResponse['body']];
  evaluate: [DebugProtocol.EvaluateArguments, DebugProtocol.EvaluateResponse['body']];
  setExpression: [DebugProtocol.SetExpressionArguments, DebugProtocol.SetExpressionResponse['body']];
  completions: [DebugProtocol.CompletionsArguments, DebugProtocol.CompletionsResponse['body']];
  exceptionInfo: [DebugProtocol.ExceptionInfoArguments, DebugProtocol.ExceptionInfoResponse['body']];
  readMemory: [DebugProtocol.ReadMemoryArguments, DebugProtocol.ReadMemoryResponse['body']];
  writeMemory: [DebugProtocol.WriteMemoryArguments, DebugProtocol.WriteMemoryResponse['body']];
  disassemble: [DebugProtocol.DisassembleArguments, DebugProtocol.DisassembleResponse['body']];
  modules: [DebugProtocol.ModulesArguments | undefined, DebugProtocol.ModulesResponse['body']];
  loadedSources: [undefined, DebugProtocol.LoadedSourcesResponse['body']];
  'unikernel/consoleInput': [{ readonly text: string }, void];
  'unikernel/statistics': [undefined, { readonly instructions: string; readonly virtualTime: number }];
}

export type Command = keyof Requests;

/** Answers one request. Rejections become error responses. */
export type Handler<K extends Command> = (adapter: Adapter, args: Requests[K][0]) => Promise<Requests[K][1]>;

export type Handlers = { readonly [K in Command]: Handler<K> };
