"""The contract of the Lua scripts, on Valkey and on fakeredis."""
