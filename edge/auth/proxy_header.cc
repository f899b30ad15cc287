#include "edge/auth/proxy_header.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace confab::edge {

namespace {

constexpr std::string_view kText = "PROXY ";
constexpr std::string_view kBinary("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kBinaryHead = 16;  // The signature, version and command, family, length.

bool BeginLikeEachOther(std::string_view one, std::string_view other) {
  const std::size_t n = std::min(one.size(), other.size());
  return one.substr(0, n) == other.substr(0, n);
}

// The next word of a line whose words stand one space apart; empty: there is none.
std::string_view NextWord(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

bool IsPort(std::string_view word) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

ProxyHeaderReader::State ProxyHeaderReader::Want(std::size_t bytes) {
  wanted_ = bytes;
  return State::kMore;
}

ProxyHeaderReader::State ProxyHeaderReader::Take(std::string_view bytes) {
  bytes_ += bytes;
  if (BeginLikeEachOther(bytes_, kText)) return TakeText();
  return BeginLikeEachOther(bytes_, kBinary) ? TakeBinary() : State::kBad;
}

// A line's end is not announced: no more is asked for than it must still have.
ProxyHeaderReader::State ProxyHeaderReader::TakeText() {
  if (bytes_.size() < kShortest) return Want(kShortest - bytes_.size());
  if (bytes_.ends_with("\r\n")) return ReadText({bytes_.data(), bytes_.size() - 2});
  const std::size_t missing = bytes_.back() == '\r' ? 1 : 2;
  return bytes_.size() + missing > kVersion1Limit ? State::kBad : Want(missing);
}

ProxyHeaderReader::State ProxyHeaderReader::ReadText(std::string_view line) {
  line.remove_prefix(kText.size());
  const std::string_view family = NextWord(line);
  if (family == "UNKNOWN") return State::kDone;  // What follows is to be ignored.
  const std::string_view source = NextWord(line);
  const std::string_view target = NextWord(line);
  const std::string_view source_port = NextWord(line);
  const auto from = IpAddress::Parse(source);
  const auto to = IpAddress::Parse(target);
  const bool is_v4 = family == "TCP4";
  if (!is_v4 && family != "TCP6") return State::kBad;
  // Of the family that is named; IPv4 within IPv6 is written in the form of IPv6.
  const auto fits = [is_v4](std::string_view text) {
    return is_v4 == (text.find(':') == std::string_view::npos);
  };
  if (!from || !to || !fits(source) || !fits(target)) return State::kBad;
  if (!IsPort(source_port) || !IsPort(line)) return State::kBad;
  client_ = from;
  return State::kDone;
}

ProxyHeaderReader::State ProxyHeaderReader::TakeBinary() {
  if (bytes_.size() < kBinaryHead) return Want(kBinaryHead - bytes_.size());
  const auto byte = [this](std::size_t i) { return static_cast<std::uint8_t>(bytes_[i]); };
  const std::size_t size = kBinaryHead + byte(14) * 256U + byte(15);
  if (size > kVersion2Limit || byte(12) >> 4 != 2) return State::kBad;
  return bytes_.size() < size ? Want(size - bytes_.size()) : ReadBinary();
}

ProxyHeaderReader::State ProxyHeaderReader::ReadBinary() {
  constexpr std::uint8_t kLocal = 0;
  constexpr std::uint8_t kProxy = 1;
  constexpr std::uint8_t kTcp4 = 0x11;
  constexpr std::uint8_t kTcp6 = 0x21;
  const auto command = static_cast<std::uint8_t>(bytes_[12] & 0x0f);
  const auto family = static_cast<std::uint8_t>(bytes_[13]);
  if (command == kLocal) return State::kDone;
  if (command != kProxy) return State::kBad;
  // Sources stand first; both addresses and both ports must be there.
  const std::size_t size = family == kTcp4 ? 4 : family == kTcp6 ? 16 : 0;
  if (size == 0) return State::kDone;
  if (bytes_.size() < kBinaryHead + 2 * size + 4) return State::kBad;
  IpAddress address;
  if (family == kTcp4) address.bytes[10] = address.bytes[11] = 0xff;
  std::copy_n(bytes_.begin() + kBinaryHead, size, address.bytes.end() - static_cast<int>(size));
  client_ = address;
  return State::kDone;
}

}  // namespace confab::edge
