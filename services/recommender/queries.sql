-- The statements of store.py, by name.

-- name: recommendations
-- One statement, hence one snapshot and one round trip: are the item and the customer known, which
-- version serves, and the answer of that version. At least one row, without an item when none is.
select
    exists (select from item where item_id = %(item_id)s) as item_known,
    %(customer_id)s::text is null
        or exists (select from customer where customer_id = %(customer_id)s) as customer_known,
    (select model_version from model_alias where alias = 'champion') as model_version,
    r.place as position, r.item_id, i.title, i.price, i.category, r.score, r.stage,
    r.because_item_id, b.title as because_title
from (values (1)) as one (row)
left join recommend(%(item_id)s, %(customer_id)s::text, %(exclude)s::text[], %(n)s) r on true
left join item i on i.item_id = r.item_id
left join item b on b.item_id = r.because_item_id
order by r.place

-- name: item
select item_id, title, price, category, family_id, stock, active from item where item_id = %(item_id)s

-- name: items
select i.item_id, i.title, i.price, i.category, i.family_id, i.stock, i.active
from item i left join popularity p on p.scope = '' and p.item_id = i.item_id
where i.active
  and not exists (
      select from unnest(string_to_array(lower(%(search)s), ' ')) word
      where strpos(lower(i.title), word) = 0 and not starts_with(lower(i.item_id), word)
  )
order by starts_with(lower(i.title), lower(%(search)s)) desc, coalesce(p.score, 0) desc, i.item_id
limit %(limit)s

-- name: popular_items
select i.item_id, i.title, i.price, i.category, i.family_id, i.stock, i.active
from popularity p join item i using (item_id)
where p.scope = '' and i.active and i.stock > 0
order by p.score desc, p.item_id
limit %(limit)s

-- name: customers
select c.customer_id, p.purchases, p.newest_at
from (
    select customer_id from customer where starts_with(customer_id, %(search)s)
    order by customer_id limit %(limit)s
) c
cross join lateral (
    select count(*) as purchases, max(last_at) as newest_at
    from purchase where customer_id = c.customer_id
) p
order by c.customer_id

-- name: latest_customers
-- The newest orders name some customers more than once, hence the reserve.
select c.customer_id, p.purchases, p.newest_at
from (
    select customer_id from (
        select customer_id, ordered_at from orders
        where customer_id is not null
        order by ordered_at desc limit 20 * %(limit)s
    ) newest
    group by customer_id
    order by max(ordered_at) desc, customer_id limit %(limit)s
) c
cross join lateral (
    select count(*) as purchases, max(last_at) as newest_at
    from purchase where customer_id = c.customer_id
) p
order by p.newest_at desc, c.customer_id

-- name: customer_known
select exists (select from customer where customer_id = %(customer_id)s)

-- name: purchases
select p.item_id, i.title, i.price, i.category, p.times, p.last_at
from purchase p join item i using (item_id)
where p.customer_id = %(customer_id)s
order by p.last_at desc, p.item_id
limit %(limit)s

-- name: model
select a.alias, v.model_version, v.mlflow_run_id, v.metrics, v.created_at
from model_alias a join model_version v using (model_version)
where a.alias = 'champion'

-- name: new_customer
insert into customer (customer_id, country, created_at)
values (%(customer_id)s, %(country)s, now())
on conflict do nothing

-- name: new_order
-- A second order under the same id waits here for the first, and then inserts nothing.
insert into orders (order_id, customer_id, ordered_at)
values (%(order_id)s, %(customer_id)s, now())
on conflict do nothing
returning order_id

-- name: lock_items
-- In the order of the ids, so that two orders never wait for each other.
select item_id, stock, active from item
where item_id = any (%(item_ids)s)
order by item_id
for no key update

-- name: record_lines
with line as (
    select * from unnest(%(item_ids)s::text[], %(quantities)s::int[])
        with ordinality as line (item_id, quantity, line_no)
), sold as (
    update item i set stock = i.stock - l.quantity
    from line l where i.item_id = l.item_id
    returning i.item_id, i.price
), recorded as (
    insert into order_line (order_id, line_no, item_id, quantity, unit_price)
    select %(order_id)s, l.line_no, l.item_id, l.quantity, s.price
    from line l join sold s using (item_id)
)
insert into purchase as p (customer_id, item_id, times, last_at)
select %(customer_id)s, l.item_id, 1, now()
from line l where %(customer_id)s::text is not null
order by l.item_id
on conflict (customer_id, item_id)
do update set times = p.times + 1, last_at = greatest(p.last_at, excluded.last_at)

-- name: order
select o.order_id, o.customer_id, o.ordered_at,
       l.item_id, i.title, l.quantity, l.unit_price
from orders o left join order_line l using (order_id) left join item i using (item_id)
where o.order_id = %(order_id)s
order by l.line_no
