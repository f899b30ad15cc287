#include "tools/confabctl/member_add.h"

#include <algorithm>
#include <fstream>
#include <istream>
#include <map>
#include <memory>
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

constexpr size_t kBatchSize = 1000;                          // The most that one request may hold.
constexpr absl::Duration kProgressAfter = absl::Seconds(2);  // Shorter runs need no progress.
constexpr absl::Duration kProgressEvery = absl::Seconds(1);

struct AddOptions {
  std::string room;
  std::vector<std::string> users;
  std::string file;
  std::string role = "member";
};

using NewMembers = std::vector<std::pair<std::string, v1::Role>>;

// One user a line, a role behind a tab if it is another; empty lines are passed over. Says which
// line is wrong.
bool ReadUsers(std::istream& in, v1::Role role, NewMembers* members, std::string* problem) {
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (!IsUtf8(line)) {
      *problem = fmt::format("line {} is not valid UTF-8", number);
      return false;
    }
    v1::Role own = role;
    if (const size_t tab = line.find('\t'); tab != std::string::npos) {
      own = RoleOfWord(std::string_view(line).substr(tab + 1));
      if (own == v1::ROLE_UNSPECIFIED) {
        *problem = fmt::format(
            "line {}: behind the tab stands a role: reader, member, moderator "
            "or owner",
            number);
        return false;
      }
      line.resize(tab);
    }
    members->emplace_back(line, own);
  }
  return true;
}

// A user given twice is added once, with the role given last: one request names each user once.
NewMembers WithoutRepeats(const NewMembers& given) {
  std::map<std::string_view, size_t> places;
  NewMembers members;
  for (const auto& [user, role] : given) {
    const auto [place, is_new] = places.emplace(user, members.size());
    if (is_new) {
      members.emplace_back(user, role);
    } else {
      members[place->second].second = role;
    }
  }
  return members;
}

Exit Gather(const Invocation& run, const AddOptions& options, NewMembers* members) {
  const v1::Role role = RoleOfWord(options.role);
  for (const std::string& user : options.users) members->emplace_back(user, role);
  std::string problem;
  if (options.file == "-") {
    if (!ReadUsers(run.streams.in, role, members, &problem)) {
      return run.Fail(Exit::kUsage, "--from-file -: " + problem);
    }
  } else if (!options.file.empty()) {
    std::ifstream file(options.file);
    if (!file) {
      return run.Fail(Exit::kUsage,
                      fmt::format("--from-file {}: cannot be read; give a file, or - for standard "
                                  "input",
                                  options.file));
    }
    if (!ReadUsers(file, role, members, &problem)) {
      return run.Fail(Exit::kUsage, fmt::format("--from-file {}: {}", options.file, problem));
    }
  }
  *members = WithoutRepeats(*members);
  if (members->empty()) {
    return run.Fail(Exit::kUsage, "nobody to add: name users, or give --from-file FILE");
  }
  return Exit::kDone;
}

// Counts on stderr, once it has taken long enough for somebody to wonder.
class Progress {
 public:
  Progress(std::ostream& err, size_t total) : err_(err), total_(total) {}
  void Show(size_t done) {
    const absl::Time now = absl::Now();
    if (now < next_ || done == total_) return;
    err_ << fmt::format("added {} of {}", done, total_) << std::endl;
    next_ = now + kProgressEvery;
  }

 private:
  std::ostream& err_;
  const size_t total_;
  absl::Time next_ = absl::Now() + kProgressAfter;
};

Exit Add(Invocation& run, const AddOptions& options) {
  NewMembers members;
  if (const Exit exit = Gather(run, options, &members); exit != Exit::kDone) return exit;
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Progress progress(run.streams.err, members.size());
  v1::AddMembersResponse sum;
  for (size_t done = 0; done < members.size();) {
    v1::AddMembersRequest request;
    request.set_room_id(options.room);
    const size_t end = std::min(done + kBatchSize, members.size());
    for (size_t i = done; i < end; ++i) {
      v1::NewMember* member = request.add_members();
      member->set_user_id(members[i].first);
      member->set_role(members[i].second);
    }
    v1::AddMembersResponse response;
    exit = client->Call(client->rooms(), &v1::RoomService::Stub::AddMembers, request, &response);
    if (exit != Exit::kDone) {
      if (done > 0) {
        return run.Fail(exit, fmt::format("the first {} of {} were added before; running the same "
                                          "command again is safe",
                                          done, members.size()));
      }
      return exit;
    }
    sum.set_changed(sum.changed() + response.changed());
    sum.set_last_seq(response.last_seq());
    done = end;
    progress.Show(done);
  }
  if (run.is_json) {
    run.streams.out << ToJson(sum) << '\n';
  } else {
    run.streams.out << fmt::format("{} of {} are new or have a new role in {}\n", sum.changed(),
                                   members.size(), Printable(options.room));
  }
  return Exit::kDone;
}

}  // namespace

void AddMemberAddVerb(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<AddOptions>();
  CLI::App* verb = noun.add_subcommand("add", "Adds members, or gives existing ones another role");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->add_option("USER", options->users, "Users to add");
  verb->add_option("--from-file", options->file,
                   "Also the users of this file, one a line, a role of their own behind a tab; - "
                   "is standard input")
      ->type_name("FILE");
  verb->add_option("--role", options->role, "Their role")
      ->check(CLI::IsMember(RoleWords()))
      ->capture_default_str();
  verb->footer(
      "Many users are added in batches of 1,000, each all or none.\n"
      "\nExamples:\n"
      "  confabctl member add lobby ann ben\n"
      "  confabctl member add lobby cy --role moderator\n"
      "  confabctl member add lobby --from-file members.txt\n"
      "  seq 1 5000 | confabctl member add lobby --from-file -");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Add(r, *options); }; });
}

}  // namespace confab::ctl
