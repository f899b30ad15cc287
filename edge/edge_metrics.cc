#include "edge/edge_metrics.h"

#include <string>
#include <utility>

#include "proto/reason.h"

namespace confab::edge {

EdgeMetrics::EdgeMetrics(process::Metrics& metrics)
    : connections(metrics.AddGauge("confab_edge_connections",
                                   "Connections whose user is known, by this edge")),
      subscriptions(metrics.AddGauge("confab_edge_subscriptions",
                                     "Pairs of connection and room on this edge")),
      outbox_bytes(metrics.AddGauge("confab_edge_outbox_bytes",
                                    "Bytes that wait for slow readers, in all outboxes")),
      frame_bytes(metrics.AddGauge("confab_edge_frame_bytes",
                                   "Bytes of frames in memory, each counted once however many "
                                   "outboxes it waits in")),
      link_attached(metrics.AddGauge("confab_edge_link_attached",
                                     "1 while the stream to control is attached")),
      commands_waiting(metrics.AddGauge("confab_edge_commands_waiting",
                                        "Commands that wait for their answer from control")),
      deliveries(metrics.AddCounter("confab_edge_deliveries_total",
                                    "Events handed to a connection's outbox")),
      signals(metrics.AddCounter("confab_edge_signals_total",
                                 "Signals (typing, presence) handed to a connection's outbox")),
      notifications(metrics.AddCounter("confab_edge_notifications_total",
                                       "Notifications of services taken for a connection")),
      notifications_over_limit(metrics.AddCounter(
          "confab_edge_notifications_dropped_total",
          "Notifications that a slow reader was not told, by why: too many waited, or too long",
          {{"why", "limit"}})),
      notifications_expired(metrics.AddCounter(
          "confab_edge_notifications_dropped_total",
          "Notifications that a slow reader was not told, by why: too many waited, or too long",
          {{"why", "expired"}})),
      link_resets(metrics.AddCounter("confab_edge_link_resets_total",
                                     "Streams given up for an impossible order of items")),
      reloads_done(metrics.AddCounter("confab_edge_reloads_total", "Reloads (HUP), by result",
                                      {{"result", "ok"}})),
      reloads_failed(metrics.AddCounter("confab_edge_reloads_total", "Reloads (HUP), by result",
                                        {{"result", "failed"}})),
      tls_not_after(metrics.AddGauge(
          "confab_edge_tls_not_after_seconds",
          "When the certificate of the public port expires, in Unix time; 0: no TLS")),
      delivery_seconds(
          metrics.AddHistogram("confab_edge_delivery_seconds",
                               "From an event's commit to its write, once an event and io thread",
                               process::LatencyBounds())),
      command_seconds(metrics.AddHistogram("confab_edge_command_seconds",
                                           "From a command's arrival to its answer",
                                           process::LatencyBounds())) {
  http.handovers =
      &metrics.AddCounter("confab_edge_http_handovers_total",
                          "HTTP connections that went to the io thread of the session they name");
  for (std::size_t i = 0; i < kTlsOutcomeWords.size(); ++i) {
    http.handshakes[i] =
        &metrics.AddCounter("confab_edge_tls_handshakes_total", "TLS handshakes, by result",
                            {{"result", std::string(kTlsOutcomeWords[i])}});
  }
  slow.degraded = &metrics.AddCounter(
      "confab_edge_degraded_total",
      "Outboxes whose logged frames were dropped, to be read again at their reader's pace");
  slow.stalled = &metrics.AddCounter("confab_edge_stalled_total",
                                     "Readers that took nothing for the stall time");
  for (const auto& [delivery, word] :
       {std::pair(DeliveryClass::kLogged, "logged"), {DeliveryClass::kDroppable, "droppable"}}) {
    slow.dropped[static_cast<std::size_t>(delivery)] = &metrics.AddCounter(
        "confab_edge_dropped_frames_total",
        "Frames that were not sent to a slow reader, by class; logged ones are read again",
        {{"class", word}});
  }
  for (int i = 0; i < kCloseReasonCount; ++i) {
    const auto reason = static_cast<CloseReason>(i);
    closes[static_cast<std::size_t>(i)] =
        &metrics.AddCounter("confab_edge_closes_total", "Sockets closed by this edge, by reason",
                            {{"reason", std::string(TraitsOf(reason).word)}});
  }
  // In the order of AddressTable::Limit, by the names of their options.
  constexpr std::array<const char*, AddressTable::kLimits> kLimits = {
      "connections-per-address", "rate-new-connections", "failed-logins"};
  for (std::size_t i = 0; i < kLimits.size(); ++i) {
    refused_sessions[i] = &metrics.AddCounter(
        "confab_edge_address_refusals_total",
        "Sessions and logins refused for their address, by limit", {{"limit", kLimits[i]}});
  }
  lost_sessions =
      &metrics.AddGauge("confab_edge_lost_sessions", "Sessions that their clients can have back");
  for (int i = 0; i < kRecoveryResultCount; ++i) {
    recoveries[static_cast<std::size_t>(i)] = &metrics.AddCounter(
        "confab_edge_recoveries_total", "Clients that wanted a lost session back, by result",
        {{"result", std::string(WordOf(static_cast<RecoveryResult>(i)))}});
  }
  for (int i = 0; i < v1::Reason_ARRAYSIZE; ++i) {
    if (!v1::Reason_IsValid(i)) continue;
    const auto reason = static_cast<v1::Reason>(i);
    const std::string word =
        reason == v1::REASON_UNSPECIFIED ? "OK" : std::string(confab::TraitsOf(reason).word);
    commands[static_cast<std::size_t>(i)] = &metrics.AddCounter(
        "confab_edge_commands_total", "Commands of clients, by result", {{"result", word}});
  }
}

void EdgeMetrics::CountCommand(v1::Reason reason) {
  const auto index = static_cast<std::size_t>(reason);
  if (index < commands.size() && commands[index] != nullptr) commands[index]->Add();
}

}  // namespace confab::edge
