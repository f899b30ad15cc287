// pqxx_shim.h: the few calls in which libpqxx 6.4 and 7 differ.
#pragma once

#include <string>
#include <utility>

#include <pqxx/pqxx>

namespace confab::storage {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// 6.4 would silently connect again and lose the session's settings and locks; 7 never does.
inline void ForbidReconnect([[maybe_unused]] pqxx::connection& connection) {
#if PQXX_VERSION_MAJOR < 7
  connection.inhibit_reactivation(true);
#endif
}

// 6.4 prepares at the first use only, when it is too late to report a mistake at the start.
inline void PrepareNow(pqxx::connection& connection, const std::string& name,
                       const std::string& sql) {
  connection.prepare(name, sql);
#if PQXX_VERSION_MAJOR < 7
  connection.prepare_now(name);
#endif
}

template <typename... Args>
pqxx::result ExecPrepared(pqxx::transaction_base& transaction, const std::string& name,
                          const Args&... args) {
#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
  return transaction.exec(pqxx::prepped{name}, pqxx::params{args...});
#else
  return transaction.exec_prepared(name, args...);
#endif
}

#pragma GCC diagnostic pop

}  // namespace confab::storage
