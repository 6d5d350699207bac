import { isAppError } from '../errors/app-error.ts';
import { ViewFileInvalid } from '../flatten/view-file.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { DOCTOR_USAGE, doctorCommand } from './databricks/doctor-command.ts';
import { GRANTS_USAGE, grantsCommand } from './databricks/grants-command.ts';
import { SETUP_USAGE, setupCommand } from './databricks/setup-command.ts';
import { WrongWords } from './words.ts';

const USAGE = `usage: ${[DOCTOR_USAGE, GRANTS_USAGE, SETUP_USAGE].join('\n       ')}
Results go to standard output. Exit status: 0 done, 1 problems, 2 wrong words.`;

const print = (text: string): void => void process.stdout.write(text);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === 'doctor') return doctorCommand(args, print, complain);
  if (command === 'grants') return grantsCommand(args, print);
  if (command === 'setup') return setupCommand(args, print, complain);
  throw new WrongWords(command === undefined ? 'no command' : `there is no command ${command}`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = 1;
  if (error instanceof WrongWords) {
    complain(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof ViewFileInvalid) {
    complain(`${error.place.line}:${error.place.column} ${error.message}`);
  } else {
    complain(isAppError(error) ? `${error.code}: ${error.message}. ${error.action}` : `failed: ${describeCause(error)}`);
  }
}
