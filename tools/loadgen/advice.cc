#include "tools/loadgen/advice.h"

#include <array>

namespace confab::loadgen {
namespace {

struct Rule {
  std::string_view reason;  // Empty: any.
  std::string_view part;    // Of the message; empty: any.
  std::string_view advice;
};

// The first that fits counts.
constexpr std::array kRules = {
    Rule{"RATE_LIMITED", "messages", "start the edge with --rate-sends off, or send less: --rate"},
    Rule{"RATE_LIMITED", "joins", "start the edge with --rate-joins off"},
    Rule{"RATE_LIMITED", "commands", "start the edge with --rate-frames off"},
    Rule{"", "refused tokens", "wait a minute, then show good tokens"},
    Rule{"", "new sessions",
         "start the edge with --rate-new-connections off --connections-per-address off; hosts on "
         "loopback have no such limits unless --trusted-proxies is set"},
    Rule{"", "from this address",
         "start the edge with --connections-per-address off, or use several --source addresses"},
    Rule{"RATE_LIMITED", "",
         "start the edge with --rate-sends off --rate-frames off --rate-joins off"},
    Rule{"SLOW_READER", "", "this tool read too slowly: give it a core of its own, or load less"},
    Rule{"REPLACED", "", "start the edge with --connections-per-user off"},
    Rule{"LIMIT_REACHED", "", "docs/limits.md names the option of each limit"},
    Rule{"TOKEN_INVALID", "",
         "is --user-secret-file the file that the edge has? If it asks for more: --issuer, "
         "--audience"},
    Rule{"TOKEN_EXPIRED", "", "mint tokens that outlive the run"},
    Rule{"UNAVAILABLE", "",
         "control or its store is away or too slow; /readyz?verbose on their ops addresses says "
         "which"},
    Rule{"DRAINING", "", "that edge is being emptied; load another"},
    Rule{"BAD_REQUEST", "dialect", "this edge is older than the tool"},
};

}  // namespace

std::string AdviceOn(std::string_view reason, std::string_view message) {
  for (const Rule& rule : kRules) {
    const bool is_reason = rule.reason.empty() || rule.reason == reason;
    if (is_reason && message.find(rule.part) != std::string_view::npos) {
      return std::string(rule.advice);
    }
  }
  return "";
}

}  // namespace confab::loadgen
