// room_builder.h: makes the rooms of a plan over HTTP, before anybody is connected: so nobody is
// told who else was made a member.
// Owns: calls that wait to be tried again.   Used by: load_run.
// Threads: confined to the loop. Lives until the loop has ended.
// Fails: the first refusal that waiting does not help ends it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "tools/loadgen/failure.h"
#include "tools/loadgen/http_caller.h"
#include "tools/loadgen/loop.h"
#include "tools/loadgen/plan.h"
#include "tools/loadgen/token_source.h"

namespace confab::loadgen {

std::string RoomName(const std::string& run, uint32_t room);

class RoomBuilder {
 public:
  struct Home {
    Loop& loop;
    HttpCaller& http;
    const Plan& plan;
    const TokenSource& tokens;
    const std::string& run;
    std::string where;  // For messages: the URL.
  };
  explicit RoomBuilder(Home home) : home_(std::move(home)) {}

  // No failure: every room is there and has its members; or the run was interrupted.
  Failure Build(absl::Duration at_most);

  uint32_t made() const { return made_; }

 private:
  void Feed();
  void Create(uint32_t room);
  void Join(uint32_t room, uint32_t member);
  void Post(HttpCall call);  // Again and again where waiting helps; `done` hears of success.
  void OnAnswer(const HttpCall& call, const HttpAnswer& answer);

  const Home home_;
  Failure failure_;
  uint32_t next_room_ = 0;
  uint32_t made_ = 0;
  std::deque<std::pair<uint32_t, uint32_t>> joins_;  // Room and first member who has to join it.
  std::deque<std::pair<int64_t, HttpCall>> later_;   // When to try again.
  std::string wait_reason_;
};

}  // namespace confab::loadgen
