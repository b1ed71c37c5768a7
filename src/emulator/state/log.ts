type LogLine = (fields: Record<string, unknown>, message: string) => void;

/** The part of a structured log that the emulator writes to; pino's loggers fit. */
export interface EmulatorLog {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

/** Writes nothing. */
export const SILENT_LOG: EmulatorLog = { debug() {}, info() {}, warn() {}, error() {} };
