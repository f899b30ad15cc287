#include "edge/protocol/native_codec.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "edge/protocol/json_text.h"

namespace confab::edge {
namespace {

namespace json = boost::json;
namespace pbutil = google::protobuf::util;

// The request number of a JSON frame that was refused, if it can be read at all.
uint64_t RequestOf(std::string_view json_text) {
  // A local one: this is the rare path, and a frame must not cost every thread a parser.
  JsonParser parser;
  const auto parsed = parser.Parse(json_text);
  if (!parsed.ok() || !(*parsed)->is_object()) return 0;
  const json::value* request = (*parsed)->get_object().if_contains("request");
  if (request == nullptr) return 0;
  v1::ClientFrame frame;
  const std::string alone = fmt::format(R"({{"request":{}}})", json::serialize(*request));
  return pbutil::JsonStringToMessage(alone, &frame).ok() ? frame.request() : 0;
}

absl::Status DecodeJson(std::string_view text, v1::ClientFrame& frame) {
  // Protobuf's own parser allows a depth of 100.
  if (!IsJsonDepthWithinLimit(text)) {
    return absl::InvalidArgumentError(
        fmt::format("the frame is nested deeper than {}", kJsonDepthLimit));
  }
  const auto status = pbutil::JsonStringToMessage({text.data(), text.size()}, &frame);
  if (status.ok()) return absl::OkStatus();
  frame.Clear();
  frame.set_request(RequestOf(text));
  const std::string message = status.message().ToString();
  return absl::InvalidArgumentError("not a ClientFrame: " + message);
}

}  // namespace

std::optional<NativeForm> NativeFormOf(std::string_view subprotocol) {
  if (subprotocol == kNativeJsonSubprotocol) return NativeForm::kJson;
  if (subprotocol == kNativeBinarySubprotocol) return NativeForm::kBinary;
  return std::nullopt;
}

absl::Status DecodeClientFrame(NativeForm form, std::string_view bytes, v1::ClientFrame& frame) {
  frame.Clear();
  if (bytes.size() > kClientFrameBytesLimit) {
    return absl::InvalidArgumentError(
        fmt::format("the frame exceeds {} bytes", kClientFrameBytesLimit));
  }
  if (form == NativeForm::kJson) return DecodeJson(bytes, frame);
  if (frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return absl::OkStatus();
  const uint64_t request = frame.request();
  frame.Clear();
  frame.set_request(request);
  return absl::InvalidArgumentError("not a ClientFrame, or a text in it is not valid UTF-8");
}

void AppendServerFrame(NativeForm form, const v1::ServerFrame& frame, std::string& out) {
  if (form == NativeForm::kBinary) {
    frame.AppendToString(&out);
    return;
  }
  std::string text;
  // Fails only for what our protos do not have (Any without a type).
  if (pbutil::MessageToJsonString(frame, &text).ok()) out.append(text);
}

}  // namespace confab::edge
