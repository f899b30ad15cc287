#include "proto/reason.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <google/protobuf/descriptor.h>

namespace confab {
namespace {

constexpr std::string_view kPrefix = "REASON_";
constexpr size_t kReasonsLimit = static_cast<size_t>(v1::Reason_MAX) + 1;

using Table = std::array<ReasonTraits, kReasonsLimit>;

Table ReadTable() {
  Table table;
  const google::protobuf::EnumDescriptor* reasons = v1::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor* value = reasons->value(i);
    ReasonTraits& traits = table.at(static_cast<size_t>(value->number()));
    traits.word = std::string_view(value->name()).substr(kPrefix.size());
    const google::protobuf::EnumValueOptions& options = value->options();
    traits.retryable = options.GetExtension(v1::retryable);
    if (options.HasExtension(v1::grpc_code)) {
      traits.grpc_code = static_cast<int>(options.GetExtension(v1::grpc_code));
    }
    if (options.HasExtension(v1::http_status)) {
      traits.http_status = static_cast<int>(options.GetExtension(v1::http_status));
    }
  }
  return table;
}

const Table& TheTable() {
  static const Table table = ReadTable();
  return table;
}

}  // namespace

const ReasonTraits& TraitsOf(v1::Reason reason) {
  const auto index = static_cast<size_t>(reason);
  const Table& table = TheTable();
  if (index >= table.size() || table[index].word.empty()) {
    return table[static_cast<size_t>(v1::REASON_INTERNAL)];
  }
  return table[index];
}

v1::Reason ReasonOfWord(std::string_view word) {
  const Table& table = TheTable();
  for (size_t i = 1; i < table.size(); ++i) {
    if (table[i].word == word) return static_cast<v1::Reason>(i);
  }
  return v1::REASON_UNSPECIFIED;
}

v1::Error MakeError(v1::Reason reason, std::string message, uint32_t retry_after_ms) {
  v1::Error error;
  error.set_reason(reason);
  error.set_message(std::move(message));
  error.set_retryable(TraitsOf(reason).retryable);
  error.set_retry_after_ms(retry_after_ms);
  return error;
}

}  // namespace confab
