// pause.mjs: time that is part of what is shown: a client's own back-off, how long a fault lasts, the
// pace of a load. What can be awaited is awaited (until.mjs).
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
