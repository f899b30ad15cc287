#include "tools/loadgen/websocket_client_frame.h"

namespace confab::loadgen {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kLengthIn16Bits = 126;
constexpr unsigned kLengthIn64Bits = 127;

void AppendBigEndian(uint64_t value, size_t bytes, std::string& out) {
  for (size_t i = bytes; i > 0; --i) out += static_cast<char>(value >> (8 * (i - 1)) & 0xff);
}

}  // namespace

void AppendClientFrame(FrameKind kind, std::string_view payload, uint32_t mask, std::string& out) {
  out += static_cast<char>(kFinal | static_cast<unsigned>(kind));
  if (payload.size() < kLengthIn16Bits) {
    out += static_cast<char>(kMasked | payload.size());
  } else {
    const bool is_short = payload.size() <= 0xffff;
    out += static_cast<char>(kMasked | (is_short ? kLengthIn16Bits : kLengthIn64Bits));
    AppendBigEndian(payload.size(), is_short ? 2 : 8, out);
  }
  const size_t key = out.size();
  AppendBigEndian(mask, 4, out);
  const size_t begin = out.size();
  out.append(payload);
  for (size_t i = 0; i < payload.size(); ++i) {
    out[begin + i] = static_cast<char>(out[begin + i] ^ out[key + i % 4]);
  }
}

FrameCut CutServerFrame(std::string_view& bytes, ServerFrame& frame) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return FrameCut::kIncomplete;
  if ((byte(0) & kReserved) != 0 || (byte(1) & kMasked) != 0) return FrameCut::kBroken;
  uint64_t size = byte(1);
  const size_t size_bytes = size < kLengthIn16Bits ? 0 : size == kLengthIn16Bits ? 2 : 8;
  const size_t head = 2 + size_bytes;
  if (bytes.size() < head) return FrameCut::kIncomplete;
  if (size_bytes > 0) size = 0;
  for (size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
  if (size > kFrameBytesLimit) return FrameCut::kBroken;
  if (bytes.size() - head < size) return FrameCut::kIncomplete;
  frame.kind = static_cast<FrameKind>(byte(0) & 0x0f);
  frame.is_final = (byte(0) & kFinal) != 0;
  frame.payload = bytes.substr(head, size);
  bytes.remove_prefix(head + size);
  return FrameCut::kWhole;
}

}  // namespace confab::loadgen
