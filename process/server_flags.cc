#include "process/server_flags.h"

#include "process/log.h"

namespace confab::process {

void AddServerFlags(ConfigLoader& loader, ServerFlags& flags) {
  loader
      .Add("ops-listen", &flags.ops_listen,
           "where /livez, /readyz?verbose and /metrics are served; keep it on loopback or a "
           "private network (port 0: any free one)",
           "Operations")
      .Placeholder("HOST:PORT");
  loader
      .Add("ready-file", &flags.ready_file,
           "written whole once the process serves, as JSON: pid and every address as bound; taken "
           "away when it stops",
           "Operations")
      .Placeholder("FILE");
  loader
      .Add("log-level", &flags.log_level,
           "what is logged to standard error: text on a terminal, JSON lines otherwise",
           "Operations")
      .OneOf({"debug", "info", "warn", "error"});
}

void WarnOfRestart(const ConfigLoader& fresh, const ConfigLoader& running) {
  for (const std::string& flag : fresh.FlagsToRestartFor(running)) {
    LogWarn("an option has changed that holds after a restart only", {{"option", "--" + flag}});
  }
}

}  // namespace confab::process
