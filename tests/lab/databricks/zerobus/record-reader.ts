import type { LabSwitches } from '../options.ts';
import type { Cell } from '../registry/cells.ts';
import type { StructField } from '../registry/data-type.ts';
import type { JsonReader } from './json-reader.ts';
import { makeValueReader, type ValueReader } from './value-readers.ts';

/** Reads one object by the fields of a table or struct into `record`. @throws DecodeError for what does not fit */
export type RecordReader = (json: JsonReader, record: Record<string, Cell>) => Record<string, Cell>;

const [OPEN, CLOSE, COMMA, COLON] = [0x7b, 0x7d, 0x2c, 0x3a];

interface Slot {
  readonly field: StructField;
  readonly read: ValueReader;
  /** `"name":`, as compact JSON has it. */
  readonly head: string;
  /** Number of the last record that had it. */
  seenIn: number;
}

export function makeRecordReader(fields: readonly StructField[], switches: LabSwitches): RecordReader {
  const slots = fields.map<Slot>((field) => ({
    field,
    read: makeValueReader(field.type, switches),
    head: `${JSON.stringify(field.name)}:`,
    seenIn: 0,
  }));
  const byName = new Map(slots.map((slot) => [slot.field.name, slot])); // names match exactly
  const required = slots.filter((slot) => !slot.field.nullable);
  const takesNull = switches.explicitNull === 'accepted';
  let number = 0;

  /** The field whose name is next. Writers keep an order, so the one after `last` is tried first. */
  const readSlot = (json: JsonReader, last: number): Slot => {
    json.next();
    const likely = slots[last + 1];
    if (likely !== undefined && json.text.startsWith(likely.head, json.at)) {
      json.at += likely.head.length;
      return likely;
    }
    const { at } = json;
    const name = json.readString();
    const slot = byName.get(name);
    if (slot === undefined) throw json.fail(`unrecognized field name '${name}'`, at);
    json.expect(COLON, 'expected `:`');
    return slot;
  };

  return (json, record) => {
    const start = json.at;
    const current = ++number;
    json.expect(OPEN, 'invalid type, expected a record');
    if (!json.take(CLOSE)) {
      json.enter();
      let last = -1;
      do {
        const slot = readSlot(json, last);
        if (slot.seenIn === current) throw json.fail(`duplicate field '${slot.field.name}'`);
        slot.seenIn = current;
        last = slots.indexOf(slot, last + 1);
        if (json.takeWord('null')) {
          if (!takesNull) throw json.fail(`null for the field '${slot.field.name}'`);
          if (!slot.field.nullable) throw json.fail(`null for the required field '${slot.field.name}'`);
        } else {
          record[slot.field.name] = slot.read(json);
        }
      } while (json.take(COMMA));
      json.expect(CLOSE, 'expected `,` or `}`');
      json.leave();
    }
    for (const { seenIn, field } of required) {
      if (seenIn !== current) throw json.fail(`missing required field '${field.name}'`, start);
    }
    return record;
  };
}
