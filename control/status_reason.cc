#include "control/status_reason.h"

#include <cassert>
#include <utility>

#include <absl/strings/cord.h>
#include <absl/types/optional.h>

#include "proto/reason.h"

namespace confab::control {
namespace {

constexpr char kPayloadUrl[] = "type.googleapis.com/confab.v1.Error";

struct Row {
  v1::Reason reason;
  const char* message;
};

// By code, for statuses that carry no reason of their own.
Row RowOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return {v1::REASON_UNAVAILABLE, "the server cannot do this right now; try again"};
    case absl::StatusCode::kFailedPrecondition:
      return {v1::REASON_UNAVAILABLE, "this control is not the active one; try again"};
    case absl::StatusCode::kUnknown:
      return {v1::REASON_OUTCOME_UNKNOWN,
              "the database's answer was lost: the command may have been done"};
    case absl::StatusCode::kInvalidArgument:
      return {v1::REASON_BAD_REQUEST, "the database refused a value of the request"};
    case absl::StatusCode::kOutOfRange:
      return {v1::REASON_RESYNC, "the position is not in the log"};
    case absl::StatusCode::kNotFound:
      return {v1::REASON_ROOM_NOT_FOUND, "there is no such room"};
    case absl::StatusCode::kAlreadyExists:
      return {v1::REASON_ROOM_EXISTS, "a room of this id exists already"};
    case absl::StatusCode::kPermissionDenied:
      return {v1::REASON_FORBIDDEN, "not permitted"};
    case absl::StatusCode::kUnauthenticated:
      return {v1::REASON_TOKEN_INVALID, "the token is not valid here"};
    case absl::StatusCode::kUnimplemented:
      return {v1::REASON_UNKNOWN_COMMAND, "no such command"};
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kOk:
    default:
      return {v1::REASON_INTERNAL, "internal error; the server's log has it"};
  }
}

bool ReadPayload(const absl::Status& status, v1::Error* error) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  return payload.has_value() && error->ParseFromString(std::string(*payload)) &&
         error->reason() != v1::REASON_UNSPECIFIED;
}

}  // namespace

absl::Status RefusalStatus(v1::Reason reason, std::string message, uint32_t retry_after_ms) {
  const v1::Error error = MakeError(reason, std::move(message), retry_after_ms);
  absl::Status status(static_cast<absl::StatusCode>(TraitsOf(reason).grpc_code), error.message());
  status.SetPayload(kPayloadUrl, absl::Cord(error.SerializeAsString()));
  return status;
}

v1::Error ErrorOf(const absl::Status& status) {
  assert(!status.ok());
  v1::Error error;
  if (ReadPayload(status, &error)) return error;
  const Row row = RowOf(status.code());
  return MakeError(row.reason, row.message);
}

v1::Reason ReasonOf(const absl::Status& status) {
  v1::Error error;
  return ReadPayload(status, &error) ? error.reason() : RowOf(status.code()).reason;
}

}  // namespace confab::control
