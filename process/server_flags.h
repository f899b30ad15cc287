// server_flags.h: the options every server process has, whatever it serves.
// Threads: caller serialises.
#pragma once

#include <string>

#include "process/config_loader.h"

namespace confab::process {

struct ServerFlags {
  std::string ops_listen;  // Each process has a default port of its own.
  std::string ready_file;
  std::string log_level = "info";
};

// Registers --ops-listen, --ready-file and --log-level.
void AddServerFlags(ConfigLoader& loader, ServerFlags& flags);

// After a reload: logs which options have changed in vain, since they hold after a restart only.
void WarnOfRestart(const ConfigLoader& fresh, const ConfigLoader& running);

}  // namespace confab::process
