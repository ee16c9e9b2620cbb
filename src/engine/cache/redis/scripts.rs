//! The scripts that run inside Redis: whatever has to read and write in one step.

use std::sync::LazyLock;

use redis::Cmd;

/// A script and the digest that Redis knows it by.
#[derive(Debug)]
pub struct Script {
    /// Its text.
    pub text: &'static str,
    /// SHA-1 of the text, as Redis answers to `SCRIPT LOAD`; kept here so that loading it needs
    /// no answer.
    digest: LazyLock<String>,
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        $(
            $(#[$doc])*
            pub static $name: Script = Script {
                text: $text,
                digest: LazyLock::new(|| redis::Script::new($text).get_hash().to_owned()),
            };
        )+
        /// All of them, to be loaded into a server.
        pub static ALL: &[&Script] = &[$(&$name),+];
    };
}

scripts! {
    /// Adds to a number: key; amount, and the ttl in milliseconds for one that is created, or
    /// an empty string. Answers the sum as text with all its digits. Lua counts in doubles, as
    /// JavaScript does; `INCRBYFLOAT` counts otherwise.
    INCREMENT = r"
local old = redis.call('GET', KEYS[1])
local number = 0
if old then
  number = not string.find(old, '[xX%s%z]') and tonumber(old) or nil
  if not number then return redis.error_reply('NOTANUMBER') end
end
local sum = number + tonumber(ARGV[1])
if sum ~= sum or sum == math.huge or sum == -math.huge then return redis.error_reply('NOTFINITE') end
local text = string.format('%.17g', sum)
if old then
  redis.call('SET', KEYS[1], text, 'KEEPTTL')
elseif ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], text, 'PX', ARGV[2])
else
  redis.call('SET', KEYS[1], text)
end
return text";

    /// Reads and removes. `GETDEL` does the same from Redis 6.2 on.
    TAKE = r"
local value = redis.call('GET', KEYS[1])
if value then redis.call('UNLINK', KEYS[1]) end
return value";

    /// Replaces a document if it is still the expected one (or missing, where that is empty).
    /// Answers nothing then, otherwise the document that is there.
    REPLACE = r"
local current = redis.call('GET', KEYS[1])
if (current or '') ~= ARGV[1] then return current or '' end
redis.call('SET', KEYS[1], ARGV[2])
return false";

    /// Takes a lease: the lease's and the fence's key, and perhaps that of an entry; the owner,
    /// the lease's and the fence's time in milliseconds. Answers the fencing token, nothing if
    /// somebody else holds it, or 1 and no lease if the entry is there.
    /// Tokens grow with the server's clock, so they grow even after a fence was forgotten.
    LEASE = r"
if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local time = redis.call('TIME')
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, time[1] * 1000000 + time[2])
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text, 'PX', ARGV[3])
return text";

    /// Extends a lease that is still the owner's. Answers 1, or 0 if it is not.
    EXTEND = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

    /// Writes an entry and ends the lease that it was made under, if it is still the owner's: the
    /// lease's and the entry's key; the owner, the value, its ttl in milliseconds or an empty
    /// string. Answers 1, or 0 if it is not.
    SETTLE = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1])
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
else
  redis.call('SET', KEYS[2], ARGV[2])
end
return 1";

    /// Ends a lease that is still the owner's. Answers 1, or 0 if it is not.
    RELEASE = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])";
}

impl Script {
    /// Calls the script by its digest.
    pub fn call(&self, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
        self.command("EVALSHA", &self.digest, keys, arguments)
    }

    /// Calls the script by its text, for a server that does not know it.
    pub fn call_by_text(&self, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
        self.command("EVAL", self.text, keys, arguments)
    }

    fn command(&self, verb: &str, script: &str, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
        let mut command = redis::cmd(verb);
        command.arg(script).arg(keys.len());
        for key in keys {
            command.arg(key.as_slice());
        }
        for argument in arguments {
            command.arg(*argument);
        }
        command
    }

    /// Teaches a server the script.
    pub fn load(&self) -> Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }
}
