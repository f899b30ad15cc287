// reason.h: reads the reason table that stands in types.proto (enum Reason and its options).
// Threads: immutable; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "confab/v1/types.pb.h"

namespace confab {

// What the table says of one reason.
struct ReasonTraits {
  std::string_view word;  // As clients see it: "NOT_A_MEMBER". Static storage.
  bool retryable = false;
  int grpc_code = 2;  // Canonical code (google.rpc.Code); 2 (UNKNOWN) where the table is silent.
  int http_status = 500;
};

// Never fails: a value the table does not know reads as REASON_INTERNAL.
const ReasonTraits& TraitsOf(v1::Reason reason);

// The Reason of a word such as "NOT_A_MEMBER"; REASON_UNSPECIFIED if there is none.
v1::Reason ReasonOfWord(std::string_view word);

// An Error with `retryable` from the table.
v1::Error MakeError(v1::Reason reason, std::string message, uint32_t retry_after_ms = 0);

}  // namespace confab
