/** Whether a fault is to be tried as long and as often as the promises say, and not only once and for seconds: MAESTRO_FAULTS=full. */
export const isThorough = process.env['MAESTRO_FAULTS'] === 'full';
