// connection_fixture.h: a connection with a verified user, and words for what is said to it.
// Threads: caller serialises.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "edge/connection/connection.h"
#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {

using tests::NumberEncoder;
using tests::RecordingHost;
using tests::RecordingTransport;
using tests::RecordingWire;

inline std::string Token(int64_t expires_in_seconds = 3'600, const std::string& user = "ann") {
  return process::SignJwt({{"sub", user},
                           {"name", "Ann"},
                           {"email", "ann@example.org"},
                           {"exp", absl::ToUnixSeconds(absl::Now()) + expires_in_seconds}},
                          *process::JwtKey::FromSecret(std::string(32, 's')));
}

inline v1::Command Join(const std::string& room, std::optional<int64_t> after_seq = std::nullopt) {
  v1::Command command;
  command.mutable_join_room()->set_room_id(room);
  if (after_seq) command.mutable_join_room()->set_after_seq(*after_seq);
  return command;
}

inline v1::Command Post() {
  v1::Command command;
  command.mutable_post_message()->set_room_id("r");
  return command;
}

inline v1::Command History() {
  v1::Command command;
  command.mutable_get_history()->set_room_id("r");
  return command;
}

inline v1::Result Joined(int64_t last_seq) {
  v1::Result result;
  result.mutable_join_room()->set_last_seq(last_seq);
  return result;
}

inline v1::Result Refused(v1::Reason reason) {
  v1::Result result;
  *result.mutable_error() = MakeError(reason, "no");
  return result;
}

// The events first..last.
inline v1::Result Page(int64_t first, int64_t last, bool more) {
  v1::Result result;
  v1::HistoryPage& page = *result.mutable_history();
  page.set_room_id("r");
  for (int64_t seq = first; seq <= last; ++seq) {
    page.add_events()->set_seq(seq);
    page.mutable_events(page.events_size() - 1)->set_room_id("r");
  }
  page.set_more(more);
  return result;
}

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    EXPECT_FALSE(connection_->Authenticate(Token()));
    connection_->Admit(513, "e-513");
    wire_.said.clear();
  }

  // The last page asked for must be the one behind that seq; answers it.
  void AnswerPage(int64_t expected_after, const v1::Result& result) {
    v1::Command command;
    for (const auto& [forwarded, reply_id] : host_.forwarded) {
      if (forwarded.has_replay_page()) command = forwarded;
    }
    ASSERT_TRUE(command.has_replay_page());
    EXPECT_EQ(command.connection(), 513u);
    EXPECT_EQ(command.replay_page().room_id(), "r");
    EXPECT_EQ(command.replay_page().after_seq(), expected_after);
    connection_->OnResult(command, std::nullopt, result);
  }

  size_t CountPages() const {
    size_t pages = 0;
    for (const auto& [command, reply_id] : host_.forwarded) pages += command.has_replay_page();
    return pages;
  }

  // joinRoom {afterSeq} of a new subscriber, accepted: the room has come to `last_seq`.
  void JoinBehind(int64_t after_seq, int64_t last_seq) {
    connection_->Ask(Join("r", after_seq), 1);
    EXPECT_EQ(connection_->OnSubscribed("r", last_seq, true), after_seq);
    host_.position = last_seq;
    connection_->OnResult(Join("r", after_seq), 1, Joined(last_seq));
  }

  RecordingTransport transport_;
  RecordingWire wire_;
  RecordingHost host_;
  NumberEncoder encoder_{0};
  std::unique_ptr<Connection> connection_ =
      std::make_unique<Connection>(host_, wire_, transport_, encoder_);
};

}  // namespace confab::edge
