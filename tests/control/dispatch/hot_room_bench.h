// hot_room_bench.h: a control bench with a room that is read behind.
// Used by: hot_room_test, hot_room_storm_test.
// Threads: the test's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {

class HotRoomBench : public ControlBench {
 protected:
  static std::string Text(int64_t seq) { return "m" + std::to_string(seq); }

  // Room a of ann and bob, with messages up to `last`.
  void MakeLog(int64_t last) {
    MakeRoom("a", {"ann", "bob"});
    for (int64_t seq = 3; seq <= last; ++seq) Post(seq);
  }
  void Post(int64_t seq) {
    const auto posted = PostAsSystem("a", Text(seq));
    ASSERT_TRUE(posted.ok()) << posted.status();
    ASSERT_EQ(posted->seq, seq);
  }

  v1::Result Replay(TestEdge& edge, const std::string& user, int64_t after) {
    return edge.Do(TestEdge::Replay(1, user, ++requests_, "a", after));
  }
  v1::Result History(TestEdge& edge, const std::string& user, int64_t after, uint32_t limit) {
    return edge.Do(HistoryBehind(user, ++requests_, after, limit));
  }
  static EdgeCommand HistoryBehind(const std::string& user, uint64_t request, int64_t after,
                                   uint32_t limit) {
    EdgeCommand input = TestEdge::History(1, user, request, "a");
    input.command.mutable_get_history()->set_after_seq(after);
    input.command.mutable_get_history()->set_limit(limit);
    return input;
  }
  static EdgeCommand EditOf(const std::string& user, const std::string& message,
                            const std::string& content) {
    EdgeCommand input = TestEdge::Ask(1, user, 7'000);
    input.command.mutable_edit_message()->set_room_id("a");
    input.command.mutable_edit_message()->set_message_id(message);
    input.command.mutable_edit_message()->set_content(content);
    return input;
  }
  static std::vector<int64_t> SeqsOf(const v1::Result& result) {
    std::vector<int64_t> seqs;
    for (const v1::Event& event : result.history().events()) seqs.push_back(event.seq());
    return seqs;
  }
  static std::string PageOf(const v1::Result& result) { return result.history().DebugString(); }

  uint64_t FromMemory() { return Reads("memory"); }
  uint64_t Reads(const std::string& from) {
    return metrics_.AddCounter("confab_control_log_reads_total", "", {{"from", from}}).value();
  }
  int64_t WindowBytes() { return metrics_.AddGauge("confab_control_log_window_bytes", "").value(); }
  int StoreReads() { return store_->calls(storage::StoreCall::kReadEvents); }

  uint64_t requests_ = 10'000;  // Beyond those that tests give themselves.
};

}  // namespace confab::control
