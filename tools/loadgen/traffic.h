// traffic.h: messages by a plan, closed loop (a window of each sender) or open (a rate), and what
// comes of each.
// Owns: the checker, and who has to wait.   Used by: load_run.
// Threads: confined to the loop. Lives until the loop has ended.
// Fails: faults and refusals are counted in the outcome.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "tools/loadgen/checker.h"
#include "tools/loadgen/crowd.h"
#include "tools/loadgen/message_mark.h"
#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

class Traffic final : public ClientEvents {
 public:
  Traffic(Loop& loop, Crowd& crowd, Outcome& outcome);

  void Begin();    // Senders send from here on.
  void Measure();  // What is sent from here on counts.
  void End();      // Nobody sends any more.
  bool is_settled() const { return checker_.open() == 0; }
  bool is_hopeless() const { return crowd_.ready() == 0; }
  // Whoever waited long enough after a refusal sends again. To be called now and then.
  void OnTick();

  const Checker& checker() const { return checker_; }

  void OnReady(ChatClient& client, int64_t last_seq) override;
  void OnAnswer(ChatClient& client, uint64_t number, const Answer& answer, int64_t now) override;
  void OnEvent(ChatClient& client, const RoomEvent& event, int64_t now) override;
  void OnEnded(ChatClient& client, const Ending& ending) override;

 private:
  void Pump(uint32_t sender);
  void SendOne(uint32_t sender, int64_t sent_at);
  void SendDue();
  void FlushLater(uint32_t member);
  bool IsMeasured(int64_t sent_at) const { return sent_at >= measured_from_; }
  void OnRefused(uint32_t sender, uint64_t number, const Answer& answer, int64_t now);

  Loop& loop_;
  Crowd& crowd_;
  Outcome& outcome_;
  const Plan plan_;
  Checker checker_;
  const MarkedContent content_;
  bool is_sending_ = false;
  int64_t measured_from_ = std::numeric_limits<int64_t>::max();
  Pacer pacer_;
  boost::asio::steady_timer due_;
  std::vector<uint32_t> unflushed_;
  std::vector<std::pair<int64_t, uint32_t>> waiting_;  // After a refusal: until when, which sender.
  std::vector<bool> is_waiting_;
  std::string text_;
  std::string key_;
};

}  // namespace confab::loadgen
