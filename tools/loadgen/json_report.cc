#include "tools/loadgen/json_report.h"

#include <cmath>
#include <string_view>

#include <boost/json/array.hpp>

#include "tools/loadgen/figures.h"

namespace confab::loadgen {
namespace {

namespace json = boost::json;

// Six digits: more say nothing, and a line stays readable.
double Rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::fabs(value))));
  return std::round(value * scale) / scale;
}

json::object LatencyOf(const Histogram& histogram) {
  const auto us = [](double nanoseconds) { return Rounded(nanoseconds / 1e3); };
  const auto percentile = [&](double percent) {
    return us(static_cast<double>(histogram.Percentile(percent)));
  };
  return {{"count", histogram.count()},
          {"meanUs", us(histogram.Mean())},
          {"p50Us", percentile(50)},
          {"p90Us", percentile(90)},
          {"p99Us", percentile(99)},
          {"p999Us", percentile(99.9)},
          {"maxUs", us(static_cast<double>(histogram.max()))}};
}

json::object PlanOf(const Outcome& outcome) {
  const Plan& plan = outcome.plan;
  json::object object = {{"users", plan.members()},
                         {"rooms", plan.rooms},
                         {"membersPerRoom", plan.members_per_room},
                         {"sendersPerRoom", plan.senders_per_room}};
  if (plan.window > 0) object["window"] = plan.window;
  if (plan.rate > 0) object["ratePerUser"] = plan.rate;
  if (plan.senders() > 0) object["contentBytes"] = outcome.options.content_bytes;
  return object;
}

json::object FaultsOf(const Outcome& outcome) {
  const Faults& faults = outcome.faults;
  return {{"lost", faults.lost},
          {"doubled", faults.doubled},
          {"disordered", faults.disordered},
          {"missing", faults.missing},
          {"corrupt", faults.corrupt},
          {"strayed", faults.strayed},
          {"misnumbered", faults.misnumbered},
          {"unanswered", faults.unanswered},
          {"disconnected", outcome.counts.disconnected}};
}

void SetIf(json::object& object, std::string_view name, const std::optional<double>& value) {
  if (value.has_value()) object[json::string_view(name.data(), name.size())] = Rounded(*value);
}

json::object ProcessOf(const Outcome& outcome, const ProcessFigures& process) {
  json::object object = {{"name", process.process.name},
                         {"processes", process.at_end.processes},
                         {"userSeconds", Rounded(process.user_s())},
                         {"systemSeconds", Rounded(process.system_s())},
                         {"cpuSeconds", Rounded(process.cpu_s())},
                         {"rssBytesAtStart", process.at_start.rss_bytes},
                         {"rssBytesAtEnd", process.at_end.rss_bytes}};
  if (process.process.pid != 0) object["pid"] = process.process.pid;
  const UnitCosts costs = CostsOf(outcome, process);
  SetIf(object, "cpuSecondsPerMillionMessages", costs.s_per_million_messages);
  SetIf(object, "cpuSecondsPerMillionDeliveries", costs.s_per_million_deliveries);
  SetIf(object, "cpuMsPerHandshake", costs.ms_per_handshake);
  SetIf(object, "cpuSecondsPerThousandConnectionsHour", costs.s_per_thousand_connections_hour);
  SetIf(object, "rssBytesPerConnection", costs.rss_bytes_per_connection);
  return object;
}

json::array MomentsOf(const Outcome& outcome) {
  json::array moments;
  for (const Moment& moment : outcome.moments) {
    json::object object = {{"atSeconds", Rounded(moment.at_s)},
                           {"messagesPerSecond", Rounded(moment.messages_per_s)},
                           {"deliveriesPerSecond", Rounded(moment.deliveries_per_s)},
                           {"handshakesPerSecond", Rounded(moment.handshakes_per_s)},
                           {"ownCores", Rounded(moment.own_cores)}};
    json::array cores;
    for (const double value : moment.cores) cores.push_back(Rounded(value));
    object["cores"] = std::move(cores);
    moments.push_back(std::move(object));
  }
  return moments;
}

void AddMessages(const Outcome& outcome, json::object& object) {
  const Counts& counts = outcome.counts;
  object["messages"] = {{"sent", counts.sent},
                        {"acked", counts.acked},
                        {"refused", counts.refused},
                        {"skipped", counts.skipped},
                        {"perSecond", Rounded(PerSecond(outcome, counts.acked))}};
  object["deliveries"] = {{"count", counts.delivered},
                          {"perSecond", Rounded(PerSecond(outcome, counts.delivered))}};
  object["ackLatency"] = LatencyOf(outcome.ack);
  object["deliveryLatency"] = LatencyOf(outcome.delivery);
}

void AddHandshakes(const Outcome& outcome, json::object& object) {
  const Counts& counts = outcome.counts;
  object["handshakes"] = {{"count", counts.handshakes},
                          {"failed", counts.failed_handshakes},
                          {"perSecond", Rounded(PerSecond(outcome, counts.handshakes))}};
  object["handshakeLatency"] = {{"whole", LatencyOf(outcome.steps.whole)},
                                {"connect", LatencyOf(outcome.steps.connect)},
                                {"upgrade", LatencyOf(outcome.steps.upgrade)},
                                {"admit", LatencyOf(outcome.steps.admit)},
                                {"join", LatencyOf(outcome.steps.join)}};
}

}  // namespace

json::object JsonOf(const Outcome& outcome) {
  json::object object = {{"scenario", NameOf(outcome.options.scenario)},
                         {"run", outcome.run},
                         {"startedAt", outcome.started_at},
                         {"version", CONFAB_VERSION},
                         {"clean", outcome.is_clean()},
                         {"interrupted", outcome.is_interrupted},
                         {"plan", PlanOf(outcome)},
                         {"connections", outcome.connections},
                         {"elapsedSeconds", Rounded(outcome.elapsed_s)}};
  json::array urls;
  for (const std::string& url : outcome.options.urls) urls.emplace_back(url);
  object["urls"] = std::move(urls);
  object["faults"] = FaultsOf(outcome);
  json::object refusals;
  for (const auto& [reason, refusal] : outcome.refusals) {
    refusals[reason] = {{"count", refusal.count}, {"example", refusal.example}};
  }
  object["refusals"] = std::move(refusals);
  if (outcome.plan.senders() > 0) AddMessages(outcome, object);
  if (outcome.options.scenario == Scenario::kHandshake) AddHandshakes(outcome, object);
  object["percentileError"] = Histogram::kRelativeError;
  json::array processes;
  for (const ProcessFigures& process : outcome.processes) {
    processes.push_back(ProcessOf(outcome, process));
  }
  object["processes"] = std::move(processes);
  if (!outcome.processes.empty()) object["allProcesses"] = ProcessOf(outcome, SumOf(outcome));
  object["own"] = {{"cpuSeconds", Rounded(outcome.own_cpu_s)},
                   {"cores", Rounded(OwnCores(outcome))}};
  object["moments"] = MomentsOf(outcome);
  return object;
}

}  // namespace confab::loadgen
