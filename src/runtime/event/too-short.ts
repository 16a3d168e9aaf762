/** What is thrown at a record with less in it than a layout of `size` bytes has. */
export function tooShortFor(size: number): (length: number) => never {
  return (length) => {
    throw new RangeError(`A record of ${length} bytes is too short for the layout of ${size} bytes.`);
  };
}
