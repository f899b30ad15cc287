#include "storage/postgres/postgres_target.h"

#include <memory>

#include <libpq-fe.h>

namespace confab::storage {
namespace {

struct Setting {
  std::string_view keyword;
  const char* value;
};

// Taken where the URL is silent. Two seconds is the least that libpq allows for connecting. A peer
// that vanished is noticed within half a minute even if nothing is being asked.
constexpr Setting kSilent[] = {
    {"connect_timeout", "2"},     {"keepalives_idle", "15"},
    {"keepalives_interval", "5"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "5000"}, {"fallback_application_name", "confab"},
};

std::string Quoted(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

absl::StatusOr<PostgresTarget> PostgresTargetOf(std::string_view url, const StoreOptions& options) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(std::string(url).c_str(), &error), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> message(error, &PQfreemem);
  if (parsed == nullptr) {
    // libpq's message may quote the URL with its password, so it is not passed on.
    return absl::InvalidArgumentError("cannot read the PostgreSQL URL " + RedactedUrl(url) +
                                      ": expected postgresql://USER[:PASSWORD]@HOST[:PORT]/"
                                      "DATABASE[?KEYWORD=VALUE&…]");
  }
  PostgresTarget target;
  target.statement_timeout = options.statement_timeout;
  target.allow_unsafe_durability = options.allow_unsafe_durability;
  target.one_trip_limit = static_cast<size_t>(options.one_trip_limit);
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    const char* value = option->val;
    for (const Setting& silent : kSilent) {
      if (value == nullptr && silent.keyword == option->keyword) value = silent.value;
    }
    if (std::string_view(option->keyword) == "client_encoding") value = "UTF8";
    if (value == nullptr) continue;
    target.conninfo += option->keyword + ("=" + Quoted(value)) + " ";
  }
  return target;
}

}  // namespace confab::storage
