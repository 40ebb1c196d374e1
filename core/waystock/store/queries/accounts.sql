-- Who may sign in: accounts, their sessions, and API tokens. Tokens are kept as SHA-256 only.

-- account_put --
INSERT INTO account (username, password_hash, role)
VALUES (%(username)s, %(password_hash)s, %(role)s)
ON CONFLICT (username) DO UPDATE
    SET password_hash = excluded.password_hash, role = excluded.role, disabled_at = NULL
RETURNING created_at = now();

-- account_for_sign_in --
SELECT
    username,
    password_hash,
    role
FROM account
WHERE username = %(username)s AND disabled_at IS NULL;

-- account_list --
SELECT
    username,
    role,
    created_at,
    disabled_at
FROM account
ORDER BY username;

-- account_disable --
UPDATE account SET disabled_at = now()
WHERE username = %(username)s AND disabled_at IS NULL
RETURNING username;

-- session_put --
INSERT INTO session (token_hash, username, expires_at)
VALUES (%(token_hash)s, %(username)s, now() + make_interval(secs => %(life_s)s));

-- session_find --
SELECT
    a.username AS name,
    a.role
FROM session AS s
INNER JOIN account AS a USING (username)
WHERE s.token_hash = %(token_hash)s AND s.expires_at > now() AND a.disabled_at IS NULL;

-- session_end --
DELETE FROM session
WHERE token_hash = %(token_hash)s;

-- session_end_all --
DELETE FROM session
WHERE username = %(username)s;

-- token_put --
INSERT INTO api_token (token_hash, name, role)
VALUES (%(token_hash)s, %(name)s, %(role)s)
ON CONFLICT (name) DO UPDATE
    SET
        token_hash = excluded.token_hash,
        role = excluded.role,
        created_at = now(),
        revoked_at = NULL
    WHERE api_token.revoked_at IS NOT NULL
RETURNING name;

-- token_find --
SELECT
    name,
    role
FROM api_token
WHERE token_hash = %(token_hash)s AND revoked_at IS NULL;

-- token_revoke --
UPDATE api_token SET revoked_at = now()
WHERE name = %(name)s AND revoked_at IS NULL
RETURNING name;

-- token_list --
SELECT
    name,
    role,
    created_at,
    revoked_at
FROM api_token
ORDER BY name;
