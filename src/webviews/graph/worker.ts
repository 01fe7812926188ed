/** The worker of the dependency graph's page: takes graphs, answers with their layout, so that the page never stands still. */
import { type LayoutInput } from '../../shared/graph-view';
import { layOut } from './layout';

const scope = self as unknown as DedicatedWorkerGlobalScope;
scope.onmessage = ({ data }: MessageEvent<LayoutInput>) => scope.postMessage(layOut(data));
