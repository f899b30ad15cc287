// recoveries.h: lost sessions on their way from one edge to another: what an edge asks goes to the
// edge that has the session, or is answered with what a draining edge has handed over.
// Owns: questions under way, the sessions handed over.   Used by: dispatcher, edge_link.
// Threads: any thread (guarded by `mu_`; nothing is sent while it is held). Time is a parameter.
// Fails: never; what cannot be asked or found is answered so, and the client begins anew.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "confab/v1/recovery.pb.h"

#include "control/dispatch/kept_sessions.h"
#include "control/fanout/edge_registry.h"
#include "process/mutex.h"

namespace confab::process {
class Counter;
class Metrics;
}  // namespace confab::process

namespace confab::control {

class Recoveries {
 public:
  using SteadyTime = KeptSessions::SteadyTime;

  // The asker waits no longer either; what comes later is dropped.
  static constexpr std::chrono::seconds kWait{1};
  // What comes of a large edge whose clients all roam, within that second; 8 MiB at most.
  static constexpr size_t kUnderWayLimit = 8'192;
  // What recovery.proto allows of one.
  static constexpr size_t kQuestionBytesLimit = 1'024;
  static constexpr size_t kSessionBytesLimit = 256 * 1024;

  // Both outlive this object.
  Recoveries(const EdgeRegistry& edges, process::Metrics& metrics);
  ~Recoveries();
  Recoveries(const Recoveries&) = delete;
  Recoveries& operator=(const Recoveries&) = delete;

  // The asker gets an answer, now or later, unless the edge that is asked says nothing in time.
  void Ask(const std::shared_ptr<Attachment>& asker, v1::RecoveryQuestion question, SteadyTime now);
  // Of an edge that was asked. What nobody has asked it is dropped.
  void OnAnswer(const Attachment& from, v1::RecoveryAnswer answer, SteadyTime now);
  void HandOver(const Attachment& from, const v1::SessionHandedOver& handed, SteadyTime now);
  // The edge's stream has ended: it answers nothing more, and waits for nothing.
  void Detach(const Attachment& edge, SteadyTime now);
  // Forgets what is too old. Called now and then; whatever is called above does so too.
  void Tidy(SteadyTime now);

 private:
  struct UnderWay {
    std::shared_ptr<Attachment> asker;
    std::shared_ptr<Attachment> asked;
    v1::RecoveryQuestion question;  // As it came.
    SteadyTime until;
  };
  struct Told;

  void TidyLocked(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What it is to be told when the edge that was asked has nothing: it may have handed the session
  // over meanwhile, and that came before its answer.
  Told LookAgain(UnderWay&& asked, SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(Told&& told);

  const EdgeRegistry& edges_;
  process::Metrics& metrics_;
  process::Counter& from_memory_;
  process::Counter& from_edge_;
  process::Counter& nothing_;

  mutable process::Mutex mu_;
  KeptSessions kept_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, UnderWay> under_way_ ABSL_GUARDED_BY(mu_);  // By ticket: in order of time.
  uint64_t last_ticket_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace confab::control
