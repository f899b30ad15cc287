// pqxx_shim.h: the few calls in which libpqxx 6.4 and 7 differ.
// Threads: caller serialises.
#pragma once

#include <string>
#include <utility>

#include <libpq-fe.h>
#include <pqxx/pqxx>

namespace confab::storage {

// A connection of libpqxx whose handle libpq can be given too, while no transaction of libpqxx is
// open on it: for what libpqxx cannot say.
#if PQXX_VERSION_MAJOR < 7
class SharedConnection final : public pqxx::connection_base {
 public:
  explicit SharedConnection(const std::string& conninfo)
      : pqxx::connection_base(policy_), policy_(conninfo) {
    init();
  }
  ~SharedConnection() noexcept { close(); }
  PGconn& handle() const { return *policy_.connected; }

 private:
  struct Policy final : pqxx::connect_direct {
    using pqxx::connect_direct::connect_direct;
    handle do_startconnect(handle before) override {
      return connected = pqxx::connect_direct::do_startconnect(before);
    }
    handle connected = nullptr;
  };
  Policy policy_;
};
#else
class SharedConnection final : public pqxx::connection {
 public:
  explicit SharedConnection(const std::string& conninfo)
      : SharedConnection(PQconnectdb(conninfo.c_str())) {}
  PGconn& handle() const { return *connected_; }

 private:
  explicit SharedConnection(PGconn* connected)
      : pqxx::connection(seize_raw_connection(Checked(connected))), connected_(connected) {}
  static PGconn* Checked(PGconn* connected) {
    if (PQstatus(connected) == CONNECTION_OK) return connected;
    const std::string why = PQerrorMessage(connected);
    PQfinish(connected);
    throw pqxx::broken_connection(why);
  }
  PGconn* connected_;
};
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// 6.4 would silently connect again and lose the session's settings and locks; 7 never does.
inline void ForbidReconnect([[maybe_unused]] SharedConnection& connection) {
#if PQXX_VERSION_MAJOR < 7
  connection.inhibit_reactivation(true);
#endif
}

// 6.4 prepares at the first use only, when it is too late to report a mistake at the start.
inline void PrepareNow(SharedConnection& connection, const std::string& name,
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
