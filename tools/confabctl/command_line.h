// command_line.h: what a run of confabctl was asked to do, and the verbs that can be asked.
// Owns: nothing; the streams outlive a run.   Used by: main, tests.
// Threads: caller serialises.
// Fails: every failure is one line on `err` and an exit code.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "process/tls_material.h"

namespace CLI {
class App;
}

namespace confab::ctl {

enum class Exit : int {
  kDone = 0,
  kRefused = 1,        // The server said no, or answered that it cannot right now.
  kUsage = 2,          // The command line is wrong, or a question was not answered with yes.
  kUnreachable = 3,    // No answer from control.
  kNotAuthorised = 4,  // No token, or not one for this.
};

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

struct Invocation;
using Verb = std::function<Exit(Invocation&)>;

struct Invocation {
  explicit Invocation(Streams s) : streams(s) {}

  Streams streams;
  std::string context;  // Named by --context; empty: none.
  std::string control = "127.0.0.1:8081";
  std::string token;
  std::string service_secret_file;
  process::TlsFiles tls;
  bool is_json = false;   // json or jsonl.
  bool is_jsonl = false;  // Of a list, an object a line.
  absl::Duration timeout = absl::Seconds(5);
  Verb verb;                   // Set by parsing.
  bool needs_settings = true;  // False: the verb runs also where contexts are broken.

  // "confabctl: <text>" on err.
  Exit Fail(Exit code, const std::string& text) const;
};

// Each exit code with what it means, for --help and the manual.
const std::vector<std::pair<Exit, std::string>>& ExitMeanings();

// Parses and runs. `args` without the program's name.
Exit Run(const std::vector<std::string>& args, Streams streams);

// Each adds a noun with its verbs, or a verb that stands alone.
void AddRoomVerbs(CLI::App& app, Invocation& run);
void AddMemberVerbs(CLI::App& app, Invocation& run);
void AddMessageVerbs(CLI::App& app, Invocation& run);
void AddPresenceVerbs(CLI::App& app, Invocation& run);
void AddConnectionVerbs(CLI::App& app, Invocation& run);
void AddEdgeVerbs(CLI::App& app, Invocation& run);
void AddAuditVerbs(CLI::App& app, Invocation& run);
void AddUserVerbs(CLI::App& app, Invocation& run);
void AddFeedVerbs(CLI::App& app, Invocation& run);
void AddPushVerbs(CLI::App& app, Invocation& run);
void AddDbVerbs(CLI::App& app, Invocation& run);
void AddTokenVerbs(CLI::App& app, Invocation& run);
void AddHealthVerb(CLI::App& app, Invocation& run);
void AddContextVerbs(CLI::App& app, Invocation& run, const class Settings& settings);
void AddCompletionVerb(CLI::App& app, Invocation& run);
void AddManVerb(CLI::App& app, Invocation& run);

// A noun of the command line: "room" and the like, to which verbs are added.
CLI::App* AddNoun(CLI::App& app, const std::string& name, const std::string& what);

// A check for options that are a place in a room's log.
std::string IsSeq(const std::string& text);

// "90s", "1h", "500ms", "7d". False if it is none, or not positive.
bool ParseTime(const std::string& text, absl::Duration* duration);

}  // namespace confab::ctl
