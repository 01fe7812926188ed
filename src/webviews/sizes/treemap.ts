/** Squarified treemaps (Bruls, Huizing, van Wijk 2000): rectangles whose areas are as the sizes, as near to squares as it goes. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Boxes for sizes, in their order, largest first; they fill the space and do not overlap. Sizes of 0 get none. */
export function squarify(sizes: readonly number[], space: Box): (Box | undefined)[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const boxes: (Box | undefined)[] = sizes.map(() => undefined);
  if (total <= 0 || space.width <= 0 || space.height <= 0) return boxes;
  const scale = (space.width * space.height) / total;
  let rest = space;
  let row: number[] = [];
  let rowArea = 0;
  const place = (): void => {
    const isWide = rest.width >= rest.height;
    const side = isWide ? rest.height : rest.width;
    const thickness = rowArea / side;
    let at = 0;
    for (const index of row) {
      const length = (sizes[index]! * scale) / thickness;
      boxes[index] = isWide
        ? { x: rest.x, y: rest.y + at, width: thickness, height: length }
        : { x: rest.x + at, y: rest.y, width: length, height: thickness };
      at += length;
    }
    rest = isWide
      ? { ...rest, x: rest.x + thickness, width: Math.max(rest.width - thickness, 0) }
      : { ...rest, y: rest.y + thickness, height: Math.max(rest.height - thickness, 0) };
    row = [];
    rowArea = 0;
  };
  sizes.forEach((size, index) => {
    if (size <= 0) return;
    const area = size * scale;
    const side = Math.min(rest.width, rest.height);
    const areas = row.map((each) => sizes[each]! * scale);
    // A row grows as long as its worst rectangle gets no worse.
    if (row.length > 0 && worst([...areas, area], rowArea + area, side) > worst(areas, rowArea, side)) place();
    row.push(index);
    rowArea += area;
  });
  if (row.length > 0) place();
  return boxes;
}

/** The worst ratio of sides among the rectangles of a row along a side. */
function worst(areas: readonly number[], sum: number, side: number): number {
  const [largest, smallest] = [Math.max(...areas), Math.min(...areas)];
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest));
}
