declare module 'parquetjs' {
  interface ParquetSchema {
    readonly fields: unknown;
  }
  interface ParquetWriter {
    appendRow(row: Record<string, unknown>): Promise<void>;
    close(): Promise<void>;
  }
  const parquetjs: {
    readonly ParquetSchema: new (fields: Record<string, { type: string; compression?: string }>) => ParquetSchema;
    readonly ParquetWriter: { openFile(schema: ParquetSchema, path: string): Promise<ParquetWriter> };
  };
  export default parquetjs;
}
