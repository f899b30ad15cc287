// confab_dialect.h: the default dialect, "confab": names and payloads of DESIGN.md section 6.
// Owns: nothing.   Used by: FindBuiltinDialect.
// Threads: immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "edge/dialect/dialect.h"

namespace confab::edge {

class ConfabDialect : public Dialect {
 public:
  std::string_view name() const override { return "confab"; }
  const DialectConnect& connect() const override { return connect_; }
  bool tells_every_refusal() const override { return false; }
  std::optional<v1::Error> Translate(std::string_view event,
                                     std::span<const boost::json::value> args,
                                     v1::Command& command) const override;
  bool EncodeEvent(const v1::Event& event, std::string_view actor_email,
                   std::string& out) const override;
  bool EncodeAck(const v1::Command& command, const v1::Result& result,
                 std::string& out) const override;
  bool EncodeRefusal(const v1::Command& command, const v1::Error& error,
                     std::string& out) const override;
  bool EncodeConfirmation(const v1::Command& /*command*/, const v1::Result& /*result*/,
                          std::string& /*out*/) const override {
    return false;
  }
  bool EncodeError(const v1::Error& error, std::string& out) const override;
  bool EncodeConnected(std::string_view connection_id, const v1::User& user,
                       std::string& out) const override;
  bool EncodeClosing(uint32_t code, std::string_view reason, uint32_t retry_after_ms,
                     std::string& out) const override;

 private:
  DialectConnect connect_;
};

}  // namespace confab::edge
