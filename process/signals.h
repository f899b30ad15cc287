// signals.h: TERM, INT, HUP and a wake-up of our own as return values instead of interruptions.
// Owns: the process's signal mask.   Used by: main, first of all.
// Threads: confined to main; to be constructed before any other thread starts (they inherit the
// mask). SIGPIPE is ignored from then on.
#pragma once

#include <absl/time/time.h>

namespace confab::process {

enum class Signal { kNone, kTerminate, kReload, kWake };

class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next TERM or INT (kTerminate), HUP (kReload) or Wake (kWake); kNone when the time is over.
  Signal Wait(absl::Duration limit = absl::InfiniteDuration());

  // Any thread: ends the present Wait, or the next one. It is SIGUSR1; from without it does nothing.
  static void Wake();

  // From now on a further TERM or INT ends the process at once: an impatient second Ctrl-C.
  void LetSecondSignalKill();
};

}  // namespace confab::process
