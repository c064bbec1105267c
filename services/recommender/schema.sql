-- The recommender's tables, as forward-only migrations: each section is applied once, in order.
-- A section that has been applied anywhere is never edited; changes are new sections.

-- migration 1: the shop: catalogue, customers, orders

create table item (
    item_id    text primary key,
    family_id  text not null,                       -- colours and sizes of one article share it
    category   text not null check (category <> ''),
    title      text not null,
    price      numeric(10, 2) not null check (price >= 0),
    stock      int not null check (stock >= 0),
    active     boolean not null default true,
    created_at timestamptz not null
);

create table customer (
    customer_id text primary key,
    country     text not null,
    created_at  timestamptz not null
);

create table orders (
    order_id    text primary key,
    customer_id text references customer,           -- a guest order has none
    ordered_at  timestamptz not null
);
-- Training and popularity read by time.
create index orders_by_time on orders (ordered_at);

create table order_line (
    order_id   text not null references orders,
    line_no    int not null,
    item_id    text not null references item,
    quantity   int not null check (quantity > 0),
    unit_price numeric(10, 2) not null check (unit_price >= 0),
    primary key (order_id, line_no)
);

-- What a customer has, one row per item: written in the transaction of the order, so that
-- "already bought" is one probe of the primary key and is never behind the order.
create table purchase (
    customer_id text not null references customer,
    item_id     text not null references item,
    times       int not null check (times > 0),
    last_at     timestamptz not null,
    primary key (customer_id, item_id)
);
-- The newest purchases of a customer, without touching the table.
create index purchase_by_recency on purchase (customer_id, last_at desc, item_id);

-- migration 2: what training publishes

create table model_version (
    model_version int generated always as identity primary key,
    mlflow_run_id text not null,
    metrics       jsonb not null default '{}',
    created_at    timestamptz not null default now(),
    published_at  timestamptz
);

-- Fifty neighbours of each item, in the order they are read. A reader takes one range of the key.
create table item_neighbour (
    model_version int not null references model_version on delete cascade,
    item_id       text not null references item,
    rank          smallint not null check (rank > 0),
    neighbour_id  text not null references item,
    score         real not null,
    support       int not null,                     -- customers who bought both; 0: by content alone
    primary key (model_version, item_id, rank) include (neighbour_id, score)
);

-- The version that serves under a name, with the weights it was evaluated with.
-- Moving the alias is one update: a request sees the old version or the new one, never both.
create table model_alias (
    alias             text primary key,
    model_version     int not null references model_version,
    history_items     int not null,
    history_weight    real not null,
    popularity_weight real not null
);

-- Items by how many orders had them lately. Scope '' is the whole shop, others are categories.
create table popularity (
    scope   text not null,
    item_id text not null references item on delete cascade,
    score   real not null,
    primary key (scope, item_id)
);
create index popularity_by_score on popularity (scope, score desc, item_id);

-- migration 3: the ledger of loads

-- One row per file and way of reading it: the same file with another column mapping is another load.
-- A chunk of rows and its progress here are one transaction, so a load goes on where it was killed.
create table data_load (
    source_sha256 text not null,
    reading       text not null,                    -- rules and column mapping
    source        text not null,
    rows_total    int,                              -- null: the file does not say beforehand
    rows_done     int not null default 0,
    lines_new     int not null default 0,
    lines_known   int not null default 0,           -- an earlier load brought them
    rejected      jsonb not null default '{}',      -- reason -> rows
    reject_bytes  bigint not null default 0,        -- length of the reject file at rows_done
    started_at    timestamptz not null default now(),
    finished_at   timestamptz,
    primary key (source_sha256, reading)
);

-- How the lines named an item: the most frequent title becomes the item's. Category '' is none.
create table item_title (
    item_id  text not null references item on delete cascade,
    title    text not null,
    category text not null,
    lines    int not null,
    primary key (item_id, title, category)
);

-- migration 4: the answer

-- The other variants of an item's family, when the answer holds a family to its cap.
create index item_by_family on item (family_id);

-- Exactly n items for the page of `seed`, seen by `customer` (null: a guest), best first.
--
--   together  neighbours of the seed in the serving model
--   history   neighbours of what the customer bought lately
--   category  popular in the seed's category
--   popular   popular in the whole shop
--
-- An item that several sources propose gets the sum of their scores; its stage is the source that
-- gave most, and because_item_id is the purchase that gave most, where one gave anything.
-- Never the seed, nothing bought or excluded, only active items in stock, at most family_cap of a
-- variant family. Fewer than n rows come back only when the shop has no more such items.
--
-- Its cost does not grow with the catalogue: every step probes a key, or walks an index in order
-- and stops. "offset 0" keeps it so where the planner would rather hash a small table.
create function recommend(
    seed text, customer text, exclude text[], n int, family_cap int default 2
) returns table (
    place int, item_id text, score real, stage text, because_item_id text
) language sql stable as $$
with model as materialized (
    select * from model_alias where alias = 'champion'
), blocked as materialized (
    select seed as item_id
    union all
    select x from unnest(exclude) x where x is not null
    union all
    select p.item_id from purchase p where p.customer_id = customer
), recent as materialized (
    select p.item_id from purchase p
    where p.customer_id = customer and p.item_id <> seed
    order by p.last_at desc, p.item_id
    limit (select history_items from model)
), source as (
    select seed as item_id, 1.0 as weight, 50 as depth, 'together' as stage
    union all
    select r.item_id, m.history_weight / (select count(*) from recent), 20, 'history'
    from recent r cross join model m
), vote as materialized (
    select nb.neighbour_id as item_id, s.item_id as source_id, s.stage, s.weight * nb.score as score
    from model m cross join source s
    join item_neighbour nb
      on nb.model_version = m.model_version and nb.item_id = s.item_id and nb.rank <= s.depth
    where nb.neighbour_id not in (select b.item_id from blocked b)
), candidate as (
    select v.item_id, sum(v.score) as score from vote v group by v.item_id
), eligible as (
    select c.item_id, i.family_id,
           c.score + m.popularity_weight * coalesce(
               (select p.score from popularity p where p.scope = '' and p.item_id = c.item_id), 0
           ) as score
    from candidate c cross join model m
    cross join lateral (
        select i.family_id from item i
        where i.item_id = c.item_id and i.active and i.stock > 0
        offset 0
    ) i
), personal as materialized (
    select e.item_id, e.family_id, e.score from (
        select e.*, row_number() over (partition by e.family_id order by e.score desc, e.item_id)
               as family_place
        from eligible e
    ) e
    where e.family_place <= family_cap
    order by e.score desc, e.item_id
    limit n
), taken as materialized (
    select b.item_id from blocked b union all select p.item_id from personal p
), fill as (
    -- Read only when the personal rows fall short: n rows of each scope, under the cap by
    -- themselves, so that n are left when what both scopes have is counted once.
    select w.tier, w.stage, f.*
    from (
        select 2 as tier, 'category' as stage, i.category as scope from item i where i.item_id = seed
        union all
        select 3, 'popular', ''
    ) w
    cross join lateral (
        select p.item_id, i.family_id, p.score
        from popularity p
        cross join lateral (
            select i.family_id from item i
            where i.item_id = p.item_id and i.active and i.stock > 0
            offset 0
        ) i
        where (select count(*) from personal) < n
          and p.scope = w.scope
          and p.item_id not in (select t.item_id from taken t)
          and family_cap > (
              select count(*) from personal x where x.family_id = i.family_id
          ) + (
              select count(*) from item j join popularity q using (item_id)
              where j.family_id = i.family_id and q.scope = w.scope and j.active and j.stock > 0
                and j.item_id not in (select t.item_id from taken t)
                and (q.score > p.score or q.score = p.score and q.item_id < p.item_id)
          )
        order by p.score desc, p.item_id
        limit n
    ) f
), fill_once as (
    select f.*,
           (select count(*) from personal x where x.family_id = f.family_id)
             + row_number() over (partition by f.family_id order by f.tier, f.score desc, f.item_id)
             as family_place
    from (select distinct on (f.item_id) f.* from fill f order by f.item_id, f.tier) f
), answer as (
    select 1 as tier, p.item_id, p.score, best.stage, because.source_id as because_item_id
    from personal p
    cross join lateral (
        select v.stage from vote v where v.item_id = p.item_id
        order by v.score desc, v.source_id limit 1
    ) best
    left join lateral (
        select v.source_id from vote v where v.item_id = p.item_id and v.stage = 'history'
        order by v.score desc, v.source_id limit 1
    ) because on true
    union all
    select f.tier, f.item_id, f.score, f.stage, null
    from fill_once f where f.family_place <= family_cap
)
select (row_number() over best)::int, item_id, score::real, stage, because_item_id
from answer
window best as (order by tier, score desc, item_id)
order by 1
limit n
$$;

-- Popularity from the orders of the 28 days before as_of, then, far below, of all time: every item
-- that can be sold gets a row in '' and in its category, so that the fill never runs dry.
create function refresh_popularity(as_of timestamptz) returns void language sql as $$
-- A load and a training may come here together: one after the other, readers unhindered.
lock table popularity in share row exclusive mode;
delete from popularity;
insert into popularity (scope, item_id, score)
with sold as (
    select l.item_id,
           count(distinct l.order_id) filter (where o.ordered_at > as_of - interval '28 days')
             as lately,
           count(distinct l.order_id) as ever
    from order_line l join orders o using (order_id)
    where o.ordered_at <= as_of
    group by l.item_id
), scored as (
    select i.item_id, i.category,
           coalesce(s.lately::real / nullif(max(s.lately) over (), 0), 0)
             + 0.001 * coalesce(s.ever::real / nullif(max(s.ever) over (), 0), 0) as score
    from item i left join sold s using (item_id)
)
select '', item_id, score from scored
union all
select category, item_id, score from scored
$$;
