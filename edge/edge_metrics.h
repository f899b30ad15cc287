// edge_metrics.h: every figure of the edge, by name.
// Threads: any thread; counting takes no lock.
#pragma once

#include <array>

#include "confab/v1/types.pb.h"

#include "edge/connection/address_table.h"
#include "edge/recovery/lost_sessions.h"
#include "edge/transport/close_reason.h"
#include "edge/transport/http_talk.h"
#include "edge/transport/transport_home.h"
#include "process/metrics.h"

namespace confab::edge {

struct EdgeMetrics {
  explicit EdgeMetrics(process::Metrics& metrics);

  // A command has its answer. REASON_UNSPECIFIED: it was done.
  void CountCommand(v1::Reason reason);

  process::Gauge& connections;
  process::Gauge& subscriptions;
  process::Gauge& outbox_bytes;
  process::Gauge& frame_bytes;
  process::Gauge& link_attached;
  process::Gauge& commands_waiting;
  process::Counter& deliveries;
  process::Counter& signals;
  process::Counter& notifications;
  process::Counter& notifications_over_limit;
  process::Counter& notifications_expired;
  process::Counter& link_resets;
  process::Counter& reloads_done;
  process::Counter& reloads_failed;
  process::Gauge& tls_not_after;
  process::Histogram& delivery_seconds;
  process::Histogram& command_seconds;
  HttpFigures http;
  std::array<process::Counter*, kCloseReasonCount> closes{};
  SlowFigures slow;
  AddressTable::Counters refused_sessions{};
  process::Gauge* lost_sessions = nullptr;
  std::array<process::Counter*, kRecoveryResultCount> recoveries{};
  std::array<process::Counter*, v1::Reason_ARRAYSIZE> commands{};
};

}  // namespace confab::edge
