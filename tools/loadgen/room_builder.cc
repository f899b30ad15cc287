#include "tools/loadgen/room_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "edge/protocol/json_text.h"
#include "tools/loadgen/opening_failure.h"

namespace confab::loadgen {
namespace {

// What one request may name: beside the owner, and within the 64 KiB that an edge reads.
constexpr uint32_t kFirstMembersLimit = 999;
constexpr size_t kMembersBytesLimit = 48 * 1024;
// Calls made ahead; each holds a token.
constexpr size_t kOpenLimit = 4 * HttpCaller::kLanes;
constexpr int64_t kRetryNs = 100'000'000;
constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

std::string RoomName(const std::string& run, uint32_t room) {
  return fmt::format("load-{}-{}", run, room);
}

Failure RoomBuilder::Build(absl::Duration at_most) {
  const auto is_over = [this] {
    Feed();
    return failure_.happened() || (next_room_ == home_.plan.rooms && joins_.empty() &&
                                   later_.empty() && home_.http.open() == 0);
  };
  if (home_.loop.RunUntil(is_over, at_most) || home_.loop.is_interrupted()) return failure_;
  return {Exit::kUnreachable,
          fmt::format("{}: {} of {} rooms were made within {}{}; ask for fewer, or --setup-time",
                      home_.where, made_, home_.plan.rooms, absl::FormatDuration(at_most),
                      wait_reason_.empty() ? "" : ": " + wait_reason_)};
}

void RoomBuilder::Feed() {
  while (!later_.empty() && later_.front().first <= NowNs()) {
    HttpCall call = std::move(later_.front().second);
    later_.pop_front();
    Post(std::move(call));
  }
  while (!failure_.happened() && home_.http.open() < kOpenLimit) {
    if (!joins_.empty()) {
      auto& [room, member] = joins_.front();
      Join(room, member);
      if (++member == home_.plan.FirstMemberOf(room + 1)) joins_.pop_front();
    } else if (next_room_ < home_.plan.rooms) {
      Create(next_room_++);
    } else {
      return;
    }
  }
}

// The first member makes it; others join by themselves where one request cannot name all.
void RoomBuilder::Create(uint32_t room) {
  const uint32_t owner = home_.plan.FirstMemberOf(room);
  const uint32_t end = home_.plan.FirstMemberOf(room + 1);
  std::string members;
  uint32_t member = owner + 1;
  while (member < end && member - owner <= kFirstMembersLimit &&
         members.size() < kMembersBytesLimit) {
    if (!members.empty()) members += ',';
    edge::AppendJsonString(home_.tokens.UserOf(member++), members);
  }
  std::string json = "{\"roomId\":";
  edge::AppendJsonString(RoomName(home_.run, room), json);
  json += fmt::format(R"(,"topic":"confab-loadgen","visibility":"{}","members":[{}]}})",
                      member < end ? "public" : "private", members);
  Post({.path = "/v1/rooms",
        .token = home_.tokens.TokenOf(owner),
        .json = std::move(json),
        .done = [this, room, member, end](const HttpAnswer&) {
          ++made_;
          if (member < end) joins_.emplace_back(room, member);
        }});
}

void RoomBuilder::Join(uint32_t room, uint32_t member) {
  Post({.path = fmt::format("/v1/rooms/{}/join", RoomName(home_.run, room)),
        .token = home_.tokens.TokenOf(member),
        .json = "{}",
        .done = [](const HttpAnswer&) {}});
}

void RoomBuilder::Post(HttpCall call) {
  HttpCall copy = call;
  call.done = [this, copy](const HttpAnswer& answer) { OnAnswer(copy, answer); };
  home_.http.Post(std::move(call));
}

void RoomBuilder::OnAnswer(const HttpCall& call, const HttpAnswer& answer) {
  if (failure_.happened()) return;
  // A room that is there was made by a first try whose answer was lost, or by a run of this name.
  if (answer.is_ok() || RefusalOf(answer).reason == "ROOM_EXISTS") return call.done(answer);
  if (answer.status != 429 && answer.status != 503) {
    failure_ = FailureOf(answer, home_.where);
    return;
  }
  wait_reason_ = FailureOf(answer, home_.where).text;
  const int64_t pause = std::max(kRetryNs, answer.retry_after_s * kSecondNs);
  later_.emplace_back(NowNs() + pause, call);
}

}  // namespace confab::loadgen
