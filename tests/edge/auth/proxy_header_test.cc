#include "edge/auth/proxy_header.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using State = ProxyHeaderReader::State;

// The header and the first bytes behind it, read as a socket gives them: at most `piece` at a time.
struct Reading {
  State state = State::kMore;
  std::size_t taken = 0;
  std::string client;
};
Reading Read(std::string_view bytes, std::size_t piece = 1000) {
  ProxyHeaderReader reader;
  Reading reading;
  while (reading.state == State::kMore && reading.taken < bytes.size()) {
    const std::size_t n = std::min({reader.wanted(), piece, bytes.size() - reading.taken});
    reading.state = reader.Take(bytes.substr(reading.taken, n));
    reading.taken += n;
  }
  reading.client = reader.client() ? reader.client()->ToString() : "";
  return reading;
}

std::string Version2(char command, char family, const std::string& addresses) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += command;
  header += family;
  header += static_cast<char>(addresses.size() / 256);
  header += static_cast<char>(addresses.size() % 256);
  return header + addresses;
}

const std::string kV4("\xcb\x00\x71\x07\x0a\x00\x00\x01\x12\x34\x01\xbb", 12);

TEST(ProxyHeader, NamesTheClientInText) {
  for (const std::size_t piece : {1000U, 1U}) {
    const std::string line = "PROXY TCP4 203.0.113.7 10.0.0.1 4660 443\r\n";
    const Reading v4 = Read(line + "GET / HTTP/1.1", piece);
    EXPECT_EQ(v4.state, State::kDone);
    EXPECT_EQ(v4.client, "203.0.113.7");
    EXPECT_EQ(v4.taken, line.size()) << "what follows belongs to the client";
    EXPECT_EQ(Read("PROXY TCP6 2001:db8::7 ::1 1 2\r\n", piece).client, "2001:db8::7");
  }
}

TEST(ProxyHeader, NamesTheClientInBinary) {
  const std::string notes("\x04\x00\x03xyz", 6);
  const std::string v6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" +
                         std::string(16, '\1') + std::string(4, '\2');
  for (const std::size_t piece : {1000U, 1U}) {
    const std::string header = Version2(0x21, 0x11, kV4 + notes);
    const Reading v4 = Read(header + "GET /", piece);
    EXPECT_EQ(v4.state, State::kDone);
    EXPECT_EQ(v4.client, "203.0.113.7");
    EXPECT_EQ(v4.taken, header.size());
    EXPECT_EQ(Read(Version2(0x21, 0x21, v6), piece).client, "2001:db8::7");
  }
}

TEST(ProxyHeader, MayNameNobody) {
  for (const std::string& header :
       {std::string("PROXY UNKNOWN\r\n"), std::string("PROXY UNKNOWN ffff::1 ::2 1 2\r\n"),
        Version2(0x20, 0x00, ""), Version2(0x20, 0x11, kV4), Version2(0x21, 0x00, ""),
        Version2(0x21, 0x31, std::string(216, 'u'))}) {
    const Reading reading = Read(header + "GET / HTTP/1.1\r\n");
    EXPECT_EQ(reading.state, State::kDone) << header;
    EXPECT_EQ(reading.client, "") << header;
    EXPECT_EQ(reading.taken, header.size()) << header;
  }
}

TEST(ProxyHeader, RefusesWhatIsNone) {
  for (const std::string& header :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
        std::string("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
        std::string("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
        std::string("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"),
        std::string("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
        std::string("PROXY TCP4 ::1 ::1 1 2\r\n      "),
        std::string("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
        std::string("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), "PROXY TCP4 " + std::string(200, '1'),
        std::string("\x16\x03\x01\x02\x00\x01\x00", 7), Version2(0x11, 0x11, kV4),
        Version2(0x22, 0x11, kV4), Version2(0x21, 0x11, kV4.substr(1)), Version2(0x21, 0x21, kV4),
        Version2(0x21, 0x11, kV4 + std::string(2033, 'n')),
        std::string("\r\n\r\n\0\r\nQUIX\n", 12)}) {
    EXPECT_EQ(Read(header).state, State::kBad) << header;
    EXPECT_EQ(Read(header, 1).state, State::kBad) << header;
  }
}

TEST(ProxyHeader, TakesLongNotesAndLinesUpToTheirLimits) {
  const std::string most(ProxyHeaderReader::kVersion2Limit - 16 - kV4.size(), 'n');
  EXPECT_EQ(Read(Version2(0x21, 0x11, kV4 + most)).state, State::kDone);
  EXPECT_EQ(Read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n").state, State::kDone);
  EXPECT_EQ(Read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n").state, State::kBad);
}

}  // namespace
}  // namespace confab::edge
