/** Entry of the thread that reads sizes of images: DWARF of some megabytes would hold the editor's extensions up. */
import { parentPort, workerData } from 'node:worker_threads';
import { readImageSizes } from '../build/sizes/image.node';
import { type SizesReport } from '../shared/sizes-view';
import { librarySizes, sizesReport } from './sizes-model';

/** What the thread is started with: paths of images. */
export interface SizesQuestion {
  readonly image: string;
  readonly other?: string;
}

/** What it answers, once. */
export type SizesAnswer = { readonly report: SizesReport; readonly libraries: ReadonlyMap<string, number> } | { readonly failure: string };

function answer({ image, other }: SizesQuestion): SizesAnswer {
  try {
    const report = readImageSizes(image);
    const before = other === undefined ? undefined : { report: readImageSizes(other), image: other };
    return { report: sizesReport(report, image, before), libraries: librarySizes(report) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.postMessage(answer(workerData as SizesQuestion));
